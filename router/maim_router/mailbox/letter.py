"""One message that waits in a mailbox, and what names it there."""

from __future__ import annotations

import msgspec

# User and platform.
BoxKey = tuple[str, str]
# User, platform and number: names one letter of all.
Place = tuple[str, str, int]


class Letter(msgspec.Struct, frozen=True, gc=False):
    """A message for one user on one platform; times are Unix seconds."""

    # Its place in its box: grows with the time when the router took the message; 64 bits.
    number: int
    user_id: str
    platform: str
    msg_id: str
    type: str
    # A JSON object in UTF-8, untouched.
    payload: bytes
    # When the router took it.
    timestamp: float
    sender_user: str
    sender_platform: str
    expires_at: float
