"""A listener of the bridge client that notes what it hears."""

from __future__ import annotations

from maim_edge.bridge.downlink import Downlink
from maim_protocol.bridge.frames import Deliveries, DisconnectOrder
from maim_protocol.bridge.transfers import Transfers


class SilentListener:
    """Keeps everything in lists."""

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.settled: list[tuple[int, str]] = []
        self.rejected: list[tuple[int, str | None, str]] = []
        self.disconnected: list[int] = []
        self.room: list[int] = []
        self.lost = 0

    def on_deliveries(self, columns: Deliveries, transfers: Transfers, downlink: Downlink) -> None:
        """Note deliveries, which go nowhere."""
        for ordinal, msg_id in zip(columns.ordinals, columns.msg_ids, strict=True):
            downlink.take(ordinal, 0)
            self.delivered.append(msg_id)

    def on_settled(self, conn: int, msg_id: str) -> None:
        """Note a settlement."""
        self.settled.append((conn, msg_id))

    def on_capacity(self, conn: int) -> None:
        """Note that there is room again."""
        self.room.append(conn)

    def on_rejected(self, conn: int, msg_id: str | None, code: str, text: str) -> None:
        """Note a rejection."""
        self.rejected.append((conn, msg_id, code))

    def on_disconnect(self, order: DisconnectOrder) -> None:
        """Note an order."""
        self.disconnected.append(order.conn)

    def on_router_lost(self) -> None:
        """Note the end of the grace."""
        self.lost += 1
