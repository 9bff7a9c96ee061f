"""The interface of every connection map; one contract suite holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.entry import Entry
from maim_router.events import Address, EdgeKey


class ConnectionMap(Protocol):
    """User to platform to connections.

    Writing may wait for another process; reading never does: a shared implementation keeps a
    local view. A removal names the whole address, edge and epoch included, so that a late close
    can never remove a newer connection.
    """

    async def add(self, entry: Entry) -> Entry | None:
        """Add a connection; returns the one of the same user, platform and label it replaces.

        A restored one does not replace one that connected later: then nothing is added and
        `entry` itself is returned.
        """

    async def remove(self, address: Address) -> Entry | None:
        """Remove the connection at exactly this address; None when there is none."""

    def get(self, uuid: str) -> Entry | None:
        """Look a connection up by its id."""

    def find(self, user_id: str, platform: str) -> Sequence[Entry]:
        """List the connections of a user on one platform, oldest first.

        Asked for each message, so that it must not depend on how many connections there are.
        """

    def audience(self, platform: str = "") -> Audience:
        """Everybody, or everybody on one platform; kept ready until somebody comes or goes."""

    def select(
        self, *, user_id: str = "", platform: str = "", edge: EdgeKey | None = None
    ) -> Sequence[Entry]:
        """List connections, oldest first; empty filters match everything."""

    def users(self) -> dict[str, dict[str, Sequence[str]]]:
        """Show user → platform → connection ids."""

    def user_count(self) -> int:
        """Count users with at least one connection."""

    def __len__(self) -> int:
        """Count connections."""
