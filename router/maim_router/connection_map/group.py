"""The connections of one user on one platform, when there is more than one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maim_router.connection_map.entry import Entry


class ConnectionGroup:
    """Connections in their order; in `standby` only the first one gets messages."""

    __slots__ = ("_by_uuid", "_listed", "_standby")

    def __init__(self, entries: Iterable[Entry], *, standby: bool) -> None:
        self._by_uuid = {entry.uuid: entry for entry in entries}
        self._standby = standby
        self._listed: tuple[Entry, ...] = ()

    @property
    def all(self) -> Sequence[Entry]:
        """All of them, oldest first."""
        return tuple(self._by_uuid.values())

    def reached(self) -> Sequence[Entry]:
        """List who gets messages; kept until somebody comes or goes, given to all who ask."""
        if not self._listed:
            first = (next(iter(self._by_uuid.values())),) if self._standby else None
            self._listed = first or tuple(self._by_uuid.values())
        return self._listed

    def add(self, entry: Entry, instead: Entry | None = None) -> None:
        """Add one at the end, or where it belongs in a line that waits."""
        self._listed = ()
        if self._standby and instead is not None:
            self._put(entry, [one.uuid for one in self._by_uuid.values()].index(instead.uuid))
            del self._by_uuid[instead.uuid]
        elif self._standby and entry.restored:
            self._put(entry, _place(entry, self.all))
        else:
            self._by_uuid[entry.uuid] = entry

    def renew(self, entry: Entry) -> None:
        """Put another version of one into its place."""
        self._by_uuid[entry.uuid] = entry
        self._listed = ()

    def drop(self, entry: Entry) -> Entry | None:
        """Remove one; returns the other when only that is left."""
        del self._by_uuid[entry.uuid]
        self._listed = ()
        return next(iter(self._by_uuid.values())) if len(self._by_uuid) == 1 else None

    def _put(self, entry: Entry, place: int) -> None:
        if place == len(self._by_uuid):
            self._by_uuid[entry.uuid] = entry
            return
        before = list(self._by_uuid.values())
        self._by_uuid = {one.uuid: one for one in [*before[:place], entry, *before[place:]]}


def _place(entry: Entry, line: Sequence[Entry]) -> int:
    """Where a restored one stands: behind all that connected before it."""
    place = len(line)
    while place and line[place - 1].connected_at > entry.connected_at:
        place -= 1
    return place
