"""The interface of every connection map; one contract suite holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.changes import Added, Removed
from maim_router.connection_map.entry import Entry
from maim_router.events import Address, EdgeKey


class ConnectionMap(Protocol):
    """User to platform to connections.

    Writing may wait for another process; reading never does: a shared implementation keeps a
    local view. A removal names the whole address, edge and epoch included, so that a late close
    can never remove a newer connection. Each write is one step: of two connections that come at
    the same time, every reader sees the same winner.
    """

    async def add(self, entry: Entry) -> Added:
        """Add a connection if the session mode of its platform lets it in.

        It replaces one of the same user, platform and label in every mode, and in `standby`
        takes its place in the line. A restored one is as old as its `connected_at`: it gives
        way to a later one of its label, and in `replace` to any later one; in `reject` and
        `standby` the earlier one goes first.
        """

    async def remove(self, address: Address, number: int = 0) -> Removed | None:
        """Remove the connection at exactly this address; None when there is none.

        Who takes over from it `came` at this number: it was sent no message before.
        """

    def get(self, uuid: str) -> Entry | None:
        """Look a connection up by its id."""

    def find(self, user_id: str, platform: str) -> Sequence[Entry]:
        """List whom messages for a user on one platform go to, oldest first.

        Asked for each message, so that it must not depend on how many connections there are.
        """

    def standby(self, entry: Entry) -> bool:
        """Whether a connection waits: messages go to another one until that leaves."""

    def audience(self, platform: str = "") -> Audience:
        """Everybody that messages go to, or everybody on one platform; kept ready."""

    def select(
        self, *, user_id: str = "", platform: str = "", edge: EdgeKey | None = None
    ) -> Sequence[Entry]:
        """List connections, oldest first, waiting ones too; empty filters match everything."""

    def users(self) -> dict[str, dict[str, Sequence[str]]]:
        """Show user → platform → connection ids."""

    def user_count(self) -> int:
        """Count users with at least one connection."""

    def __len__(self) -> int:
        """Count connections."""
