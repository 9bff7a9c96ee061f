"""The connection map of one router process."""

from __future__ import annotations

from collections.abc import Sequence

from maim_router.connection_map.interface import Entry
from maim_router.events import Address, EdgeKey


class MemoryConnectionMap:
    """A `ConnectionMap` in dictionaries; insertion order is age."""

    def __init__(self) -> None:
        self._by_address: dict[Address, Entry] = {}
        self._by_uuid: dict[str, Entry] = {}
        self._by_label: dict[tuple[str, str, str], Entry] = {}
        self._users: dict[str, dict[str, dict[Address, Entry]]] = {}

    def __len__(self) -> int:
        return len(self._by_address)

    async def add(self, entry: Entry) -> Entry | None:
        """Add a connection; returns the one that has to go: `entry` itself if it comes too late."""
        replaced = None
        await self.remove(entry.address)
        if entry.label:
            replaced = self._by_label.get(_label_key(entry))
            if replaced is not None:
                if entry.restored and replaced.connected_at > entry.connected_at:
                    return entry
                self._drop(replaced)
            self._by_label[_label_key(entry)] = entry
        self._by_address[entry.address] = entry
        self._by_uuid[entry.uuid] = entry
        platforms = self._users.setdefault(entry.user_id, {})
        platforms.setdefault(entry.platform, {})[entry.address] = entry
        return replaced

    async def remove(self, address: Address) -> Entry | None:
        """Remove the connection at exactly this address; None when there is none."""
        entry = self._by_address.get(address)
        if entry is not None:
            self._drop(entry)
        return entry

    def get(self, uuid: str) -> Entry | None:
        """Look a connection up by its id."""
        return self._by_uuid.get(uuid)

    def find(self, user_id: str, platform: str) -> Sequence[Entry]:
        """List the connections of a user on one platform, oldest first."""
        return list(self._users.get(user_id, {}).get(platform, {}).values())

    def select(
        self, *, user_id: str = "", platform: str = "", edge: EdgeKey | None = None
    ) -> Sequence[Entry]:
        """List connections, oldest first; empty filters match everything."""
        return [
            entry
            for entry in self._by_address.values()
            if (not user_id or entry.user_id == user_id)
            and (not platform or entry.platform == platform)
            and (edge is None or entry.address.edge == edge)
        ]

    def users(self) -> dict[str, dict[str, Sequence[str]]]:
        """Show user → platform → connection ids."""
        return {
            user: {name: [entry.uuid for entry in here.values()] for name, here in there.items()}
            for user, there in self._users.items()
        }

    def user_count(self) -> int:
        """Count users with at least one connection."""
        return len(self._users)

    def _drop(self, entry: Entry) -> None:
        del self._by_address[entry.address]
        if self._by_uuid.get(entry.uuid) is entry:
            del self._by_uuid[entry.uuid]
        if entry.label and self._by_label.get(_label_key(entry)) is entry:
            del self._by_label[_label_key(entry)]
        platforms = self._users[entry.user_id]
        del platforms[entry.platform][entry.address]
        if not platforms[entry.platform]:
            del platforms[entry.platform]
        if not platforms:
            del self._users[entry.user_id]


def _label_key(entry: Entry) -> tuple[str, str, str]:
    return entry.user_id, entry.platform, entry.label
