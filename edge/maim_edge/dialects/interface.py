"""The interface of a dialect: how frames of a client are read and how it is spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from maim_protocol.envelope import ClientFrame
from maim_protocol.errors import ErrorCode

# One frame for a client, cut as it came; a large one is never copied whole.
Pieces = Sequence[bytes]


class Delivery(msgspec.Struct, frozen=True):
    """A message for a client, with the meta that the router verified."""

    msg_id: str
    type: str
    sender_user: str
    sender_platform: str
    target_user: str
    platform: str
    timestamp: float
    payload: Pieces
    # Its place among all that routers took; 0: nobody keeps it.
    number: int = 0
    # Bytes of the payload: asked for several times, so it is counted once.
    size: int = 0


class Dialect(Protocol):
    """Pure and without state, so that what is encoded once serves every receiver.

    What a dialect has no words for is None. Timestamps are Unix seconds.
    """

    def decode(self, data: bytes, *, known_utf8: bool = False) -> ClientFrame:
        """Read a frame, whose UTF-8 may have been checked already; raises `FrameError`."""

    def deliver(self, delivery: Delivery) -> Pieces:
        """Write a message."""

    def ack(self, connection_uuid: str, msg_id: str, timestamp: float) -> bytes | None:
        """Write that a message of the client is settled."""

    def error(
        self, code: ErrorCode, text: str, msg_id: str | None, timestamp: float
    ) -> bytes | None:
        """Write that a frame of the client was not taken."""

    def notice(self, payload: Mapping[str, Any], timestamp: float) -> bytes | None:
        """Write what the client should know."""
