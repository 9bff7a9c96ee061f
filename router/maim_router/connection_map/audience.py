"""Whom one message is for, sorted by edge: made once and used for many messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from maim_router.connection_map.entry import Entry
from maim_router.events import EdgeKey


class Part(Struct, frozen=True, gc=False):
    """The connections of one edge, oldest first: handles, and handle → connection id."""

    edge: EdgeKey
    conns: Sequence[int]
    uuids: Mapping[int, str]


class Audience(Struct, frozen=True, gc=False):
    """Connections in their order, and the same ones edge by edge."""

    uuids: Sequence[str] = ()
    parts: Sequence[Part] = ()

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Audience:
        """Sort connections by their edges."""
        by_edge: dict[EdgeKey, dict[int, str]] = {}
        uuids = []
        for entry in entries:
            uuids.append(entry.uuid)
            by_edge.setdefault(entry.edge, {})[entry.open.conn] = entry.uuid
        return cls(uuids, [Part(edge, list(here), here) for edge, here in by_edge.items()])
