"""The connection map of one router process."""

from __future__ import annotations

from collections.abc import Sequence

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.entry import Entry
from maim_router.events import Address, EdgeKey

# Audiences kept ready: who broadcasts to more platforms than that waits for the sorting.
AUDIENCES = 64


class MemoryConnectionMap:
    """A `ConnectionMap` in dictionaries; insertion order is age."""

    def __init__(self) -> None:
        # An id names one connection.
        self._by_uuid: dict[str, Entry] = {}
        self._by_edge: dict[EdgeKey, dict[int, Entry]] = {}
        self._by_label: dict[tuple[str, str, str], Entry] = {}
        # Most users have one connection on a platform: it stands for itself.
        self._routes: dict[tuple[str, str], Entry | _Several] = {}
        self._users: dict[str, int] = {}
        self._audiences: dict[str, Audience] = {}

    def __len__(self) -> int:
        return len(self._by_uuid)

    async def add(self, entry: Entry) -> Entry | None:
        """Add a connection; returns the one that has to go: `entry` itself if it comes too late."""
        replaced = None
        if (earlier := self._at(entry.address)) is not None:
            self._drop(earlier)
        if (earlier := self._by_uuid.get(entry.uuid)) is not None:
            self._drop(earlier)
        if entry.label:
            replaced = self._by_label.get(_label_key(entry))
            if replaced is not None:
                if entry.restored and replaced.connected_at > entry.connected_at:
                    return entry
                self._drop(replaced)
            self._by_label[_label_key(entry)] = entry
        self._by_uuid[entry.uuid] = entry
        self._by_edge.setdefault(entry.edge, {})[entry.open.conn] = entry
        self._users[entry.user_id] = self._users.get(entry.user_id, 0) + 1
        self._add_route(entry)
        self._audiences.clear()
        return replaced

    async def remove(self, address: Address) -> Entry | None:
        """Remove the connection at exactly this address; None when there is none."""
        entry = self._at(address)
        if entry is not None:
            self._drop(entry)
        return entry

    def get(self, uuid: str) -> Entry | None:
        """Look a connection up by its id."""
        return self._by_uuid.get(uuid)

    def find(self, user_id: str, platform: str) -> Sequence[Entry]:
        """List the connections of a user on one platform, oldest first."""
        here = self._routes.get((user_id, platform))
        if here is None:
            return ()
        return (here,) if isinstance(here, Entry) else here.listed()

    def audience(self, platform: str = "") -> Audience:
        """Everybody, or everybody on one platform; kept ready until somebody comes or goes."""
        audience = self._audiences.get(platform)
        if audience is None:
            audience = Audience.of(self.select(platform=platform))
            if len(self._audiences) < AUDIENCES:
                self._audiences[platform] = audience
        return audience

    def select(
        self, *, user_id: str = "", platform: str = "", edge: EdgeKey | None = None
    ) -> Sequence[Entry]:
        """List connections, oldest first; empty filters match everything."""
        if user_id and platform and edge is None:
            return self.find(user_id, platform)
        return [
            entry
            for entry in self._by_uuid.values()
            if (not user_id or entry.user_id == user_id)
            and (not platform or entry.open.platform == platform)
            and (edge is None or entry.edge == edge)
        ]

    def users(self) -> dict[str, dict[str, Sequence[str]]]:
        """Show user → platform → connection ids."""
        users: dict[str, dict[str, Sequence[str]]] = {}
        for user, platform in self._routes:
            here = [entry.uuid for entry in self.find(user, platform)]
            users.setdefault(user, {})[platform] = here
        return users

    def user_count(self) -> int:
        """Count users with at least one connection."""
        return len(self._users)

    def _at(self, address: Address) -> Entry | None:
        return self._by_edge.get(address.edge, {}).get(address.conn)

    def _add_route(self, entry: Entry) -> None:
        key = (entry.user_id, entry.open.platform)
        here = self._routes.get(key)
        if here is None:
            self._routes[key] = entry
        elif isinstance(here, Entry):
            self._routes[key] = _Several(here, entry)
        else:
            here.add(entry)

    def _drop_route(self, entry: Entry) -> None:
        key = (entry.user_id, entry.open.platform)
        here = self._routes[key]
        if isinstance(here, Entry):
            del self._routes[key]
        elif (last := here.drop(entry)) is not None:
            self._routes[key] = last

    def _drop(self, entry: Entry) -> None:
        self._audiences.clear()
        del self._by_uuid[entry.uuid]
        here = self._by_edge[entry.edge]
        del here[entry.open.conn]
        if not here:
            del self._by_edge[entry.edge]
        if entry.label and self._by_label.get(_label_key(entry)) is entry:
            del self._by_label[_label_key(entry)]
        self._users[entry.user_id] -= 1
        if not self._users[entry.user_id]:
            del self._users[entry.user_id]
        self._drop_route(entry)


class _Several:
    """The connections of a user on one platform, when there is more than one."""

    __slots__ = ("_by_uuid", "_listed")

    def __init__(self, *entries: Entry) -> None:
        self._by_uuid = {entry.uuid: entry for entry in entries}
        self._listed: tuple[Entry, ...] = ()

    def listed(self) -> Sequence[Entry]:
        """List them; the list is kept until somebody comes or goes, and given to all who ask."""
        if not self._listed:
            self._listed = tuple(self._by_uuid.values())
        return self._listed

    def add(self, entry: Entry) -> None:
        """Add one."""
        self._by_uuid[entry.uuid] = entry
        self._listed = ()

    def drop(self, entry: Entry) -> Entry | None:
        """Remove one; returns the other when only that is left."""
        del self._by_uuid[entry.uuid]
        self._listed = ()
        return next(iter(self._by_uuid.values())) if len(self._by_uuid) == 1 else None


def _label_key(entry: Entry) -> tuple[str, str, str]:
    return entry.user_id, entry.open.platform, entry.open.label
