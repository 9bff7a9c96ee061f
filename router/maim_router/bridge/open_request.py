"""What an edge may say of a client that asks to be let in: pure."""

from __future__ import annotations

import math

from maim_protocol.bridge import Open
from maim_protocol.errors import AttachProblem, AttachRefused

# As bridge.proto has them; edges refuse clients that say more.
PLATFORM_MAX_CHARS = 128
LABEL_MAX_CHARS = 128


def checked_open(asked: Open) -> Open:
    """Return what is as the protocol has it; raises `AttachRefused` for an edge that errs."""
    if not math.isfinite(asked.connected_at):
        # It would be nowhere in the line of its user's connections.
        raise _refused(f"connected_at: expected Unix seconds, got {asked.connected_at:g}")
    if not 1 <= len(asked.platform) <= PLATFORM_MAX_CHARS:
        text = f"platform: expected 1 to {PLATFORM_MAX_CHARS} characters"
        raise _refused(f"{text}, got {len(asked.platform)}")
    if len(asked.label) > LABEL_MAX_CHARS:
        text = f"label: expected at most {LABEL_MAX_CHARS} characters"
        raise _refused(f"{text}, got {len(asked.label)}")
    return asked


def _refused(text: str) -> AttachRefused:
    return AttachRefused(AttachProblem.PROTOCOL, f"malformed frame: {text}")
