"""The envelope dialect: docs/protocol.md, "Frames"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maim_edge.dialects.interface import Delivery, Pieces
from maim_protocol import envelope
from maim_protocol.envelope import ClientFrame, Meta
from maim_protocol.errors import ErrorCode


class EnvelopeDialect:
    """JSON objects with `ver`, `msg_id`, `type`, `meta` and `payload`."""

    def decode(self, data: bytes, *, known_utf8: bool = False) -> ClientFrame:
        """Read a frame; raises `FrameError`."""
        return envelope.decode_client_frame(data, known_utf8=known_utf8)

    def deliver(self, delivery: Delivery) -> Pieces:
        """Write a message around its untouched payload."""
        meta = Meta(
            delivery.sender_user,
            delivery.sender_platform,
            delivery.target_user,
            delivery.platform,
            delivery.timestamp,
        )
        head = envelope.encode_head(delivery.type, delivery.msg_id, meta)
        payload = delivery.payload
        # Small ones are joined here, once for all who receive them.
        return (b"%b%b}" % (head, payload[0]),) if len(payload) == 1 else (head, *payload, b"}")

    def ack(self, connection_uuid: str, msg_id: str, timestamp: float) -> bytes | None:
        """Write a `sys_ack`."""
        return envelope.encode_ack(connection_uuid, msg_id, timestamp)

    def error(
        self, code: ErrorCode, text: str, msg_id: str | None, timestamp: float
    ) -> bytes | None:
        """Write a `sys_error`."""
        return envelope.encode_error(code, text, msg_id, timestamp)

    def notice(self, payload: Mapping[str, Any], timestamp: float) -> bytes | None:
        """Write a `sys_notice`."""
        return envelope.encode_notice(dict(payload), timestamp)


ENVELOPE = EnvelopeDialect()
