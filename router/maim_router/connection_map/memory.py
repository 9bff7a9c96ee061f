"""The connection map of one router process."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.changes import Added, Removed
from maim_router.connection_map.entry import Entry
from maim_router.connection_map.group import ConnectionGroup
from maim_router.connection_map.rules import decide
from maim_router.connection_map.session_modes import SHARE_ALL, SessionMode, SessionModes
from maim_router.events import Address, EdgeKey

# Audiences kept ready: who broadcasts to more platforms than that waits for the sorting.
AUDIENCES = 64


class MemoryConnectionMap:
    """A `ConnectionMap` in dictionaries; insertion order is age."""

    def __init__(self, modes: SessionModes = SHARE_ALL) -> None:
        self._modes = modes
        # An id names one connection.
        self._by_uuid: dict[str, Entry] = {}
        self._by_edge: dict[EdgeKey, dict[int, Entry]] = {}
        self._by_label: dict[tuple[str, str, str], Entry] = {}
        # Most users have one connection on a platform: it stands for itself.
        self._routes: dict[tuple[str, str], Entry | ConnectionGroup] = {}
        self._users: dict[str, int] = {}
        self._audiences: dict[str, Audience] = {}

    def __len__(self) -> int:
        return len(self._by_uuid)

    async def add(self, entry: Entry) -> Added:
        """Add a connection if the session mode lets it in; says what changed."""
        activated = self._make_room(entry)
        mode = self._modes.of(entry.platform)
        label = self._by_label.get(_label_key(entry)) if entry.label else None
        counts = mode in (SessionMode.REPLACE, SessionMode.REJECT)
        here = self._all(entry.user_id, entry.platform) if counts else ()
        others = [one for one in here if one is not label]
        refused, ended = decide(mode, entry, label, others)
        if refused is not None:
            return Added(refused, activated=activated)
        instead = label if mode is SessionMode.STANDBY else None
        for one, _ in ended:
            self._forget(one)
            if one is not instead:
                self._drop_route(one)
        first = self._first(entry) if mode is SessionMode.STANDBY else None
        self._put(entry, instead)
        standby = self.standby(entry)
        passed = first if not standby and first is not instead else None
        return Added(None, ended, standby, passed, activated)

    async def remove(self, address: Address, number: int = 0) -> Removed | None:
        """Remove the connection at exactly this address; None when there is none."""
        entry = self._at(address)
        return Removed(entry, self._drop(entry, number)) if entry is not None else None

    def get(self, uuid: str) -> Entry | None:
        """Look a connection up by its id."""
        return self._by_uuid.get(uuid)

    def find(self, user_id: str, platform: str) -> Sequence[Entry]:
        """List whom messages for a user on one platform go to, oldest first."""
        here = self._routes.get((user_id, platform))
        if here is None:
            return ()
        return (here,) if isinstance(here, Entry) else here.reached()

    def standby(self, entry: Entry) -> bool:
        """Whether a connection waits: messages go to another one until that leaves."""
        if self._modes.of(entry.platform) is not SessionMode.STANDBY:
            return False
        return entry not in self.find(entry.user_id, entry.platform)

    def audience(self, platform: str = "") -> Audience:
        """Everybody that messages go to, or everybody on one platform; kept ready."""
        audience = self._audiences.get(platform)
        if audience is None:
            here = self.select(platform=platform)
            audience = Audience.of(entry for entry in here if not self.standby(entry))
            if len(self._audiences) < AUDIENCES:
                self._audiences[platform] = audience
        return audience

    def select(
        self, *, user_id: str = "", platform: str = "", edge: EdgeKey | None = None
    ) -> Sequence[Entry]:
        """List connections, oldest first, waiting ones too; empty filters match everything."""
        if user_id and platform and edge is None:
            return self._all(user_id, platform)
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
            here = [entry.uuid for entry in self._all(user, platform)]
            users.setdefault(user, {})[platform] = here
        return users

    def user_count(self) -> int:
        """Count users with at least one connection."""
        return len(self._users)

    def _at(self, address: Address) -> Entry | None:
        return self._by_edge.get(address.edge, {}).get(address.conn)

    def _all(self, user_id: str, platform: str) -> Sequence[Entry]:
        here = self._routes.get((user_id, platform))
        if here is None:
            return ()
        return (here,) if isinstance(here, Entry) else here.all

    def _first(self, entry: Entry) -> Entry | None:
        return next(iter(self.find(entry.user_id, entry.platform)), None)

    def _make_room(self, entry: Entry) -> Sequence[Entry]:
        """Drop what holds the address or the id; says who takes over where it was."""
        activated: list[Entry] = []
        for held in (self._at(entry.address), self._by_uuid.get(entry.uuid)):
            if held is not None and self._by_uuid.get(held.uuid) is held:
                activated += self._drop(held, entry.since)
        return tuple(activated)

    def _put(self, entry: Entry, instead: Entry | None) -> None:
        self._audiences.clear()
        if entry.label:
            self._by_label[_label_key(entry)] = entry
        self._by_uuid[entry.uuid] = entry
        self._by_edge.setdefault(entry.edge, {})[entry.open.conn] = entry
        self._users[entry.user_id] = self._users.get(entry.user_id, 0) + 1
        self._add_route(entry, instead)

    def _add_route(self, entry: Entry, instead: Entry | None) -> None:
        key = (entry.user_id, entry.open.platform)
        here = self._routes.get(key)
        if here is None or here is instead:
            self._routes[key] = entry
            return
        if isinstance(here, Entry):
            standby = self._modes.of(entry.platform) is SessionMode.STANDBY
            here = self._routes[key] = ConnectionGroup([here], standby=standby)
        here.add(entry, instead)

    def _drop_route(self, entry: Entry) -> None:
        key = (entry.user_id, entry.open.platform)
        here = self._routes[key]
        if isinstance(here, Entry):
            del self._routes[key]
        elif (last := here.drop(entry)) is not None:
            self._routes[key] = last

    def _drop(self, entry: Entry, number: int) -> Sequence[Entry]:
        """Remove a connection; says who takes over from it."""
        waits = self._modes.of(entry.platform) is not SessionMode.STANDBY or self.standby(entry)
        self._forget(entry)
        self._drop_route(entry)
        next_ones = () if waits else self.find(entry.user_id, entry.platform)
        return tuple(self._take_over(one, number) for one in next_ones)

    def _take_over(self, entry: Entry, number: int) -> Entry:
        """Let the first of a line be sent messages from a number on."""
        active = structs.replace(entry, since=number)
        key = (entry.user_id, entry.open.platform)
        here = self._routes[key]
        if isinstance(here, Entry):
            self._routes[key] = active
        else:
            here.renew(active)
        self._by_uuid[entry.uuid] = self._by_edge[entry.edge][entry.open.conn] = active
        if entry.label:
            self._by_label[_label_key(entry)] = active
        return active

    def _forget(self, entry: Entry) -> None:
        """Remove a connection from everywhere but its route."""
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


def _label_key(entry: Entry) -> tuple[str, str, str]:
    return entry.user_id, entry.open.platform, entry.open.label
