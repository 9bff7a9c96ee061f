"""The interface of every connection map; one contract suite holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from maim_router.events import Address, EdgeKey


@dataclass(frozen=True, slots=True)
class Entry:
    """One connection of the map."""

    uuid: str
    user_id: str
    platform: str
    label: str
    address: Address
    client_ip: str = ""
    connected_at: float = 0.0
    # Admitted by an earlier router or on an earlier stream of its edge.
    restored: bool = False
    # What callbacks are shown; holds the credential, so it stays out of every repr.
    metadata: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


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
        """List the connections of a user on one platform, oldest first."""

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
