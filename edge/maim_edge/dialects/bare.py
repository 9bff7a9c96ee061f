"""The bare dialect: the payload alone, no acks and no errors (docs/protocol.md, "Bare")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maim_edge.dialects.interface import Delivery, Pieces
from maim_protocol import envelope
from maim_protocol.envelope import ClientFrame
from maim_protocol.errors import ErrorCode


class BareDialect:
    """A frame is an APIMessageBase and nothing around it."""

    def decode(self, data: bytes, *, known_utf8: bool = False) -> ClientFrame:
        """Read a frame, an envelope too: it ends the bare way of speaking."""
        return envelope.decode_client_frame(data, known_utf8=known_utf8)

    def deliver(self, delivery: Delivery) -> Pieces:
        """Write the payload alone."""
        return delivery.payload

    def ack(self, connection_uuid: str, msg_id: str, timestamp: float) -> bytes | None:
        """There is no word for it."""
        return None

    def error(
        self, code: ErrorCode, text: str, msg_id: str | None, timestamp: float
    ) -> bytes | None:
        """There is no word for it."""
        return None

    def notice(self, payload: Mapping[str, Any], timestamp: float) -> bytes | None:
        """There is no word for it."""
        return None


BARE = BareDialect()
