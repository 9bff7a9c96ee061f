"""Who hears what a router says to this edge."""

from __future__ import annotations

from typing import Protocol

from maim_edge.bridge.downlink import Downlink
from maim_protocol.bridge import Deliveries, DisconnectOrder, DrainOrder, Transfers


class Listener(Protocol):
    """Who is told what the router says."""

    def on_deliveries(self, columns: Deliveries, transfers: Transfers, downlink: Downlink) -> None:
        """Messages for connections."""

    def on_settled(self, conn: int, msg_id: str) -> None:
        """A message of a connection is settled."""

    def on_capacity(self, conn: int) -> None:
        """A connection that had no room for messages has some again."""

    def on_rejected(self, conn: int, msg_id: str | None, code: str, text: str) -> None:
        """A message of a connection was not taken."""

    def on_disconnect(self, order: DisconnectOrder) -> None:
        """A connection shall be closed."""

    def on_drain(self, order: DrainOrder) -> None:
        """Every client shall be sent away."""

    def on_router_lost(self) -> None:
        """No router has been attached for longer than the grace period."""
