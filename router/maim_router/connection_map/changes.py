"""What a write to a connection map has changed, as one value: nothing is asked a second time."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from maim_router.connection_map.entry import Entry
from maim_router.events import GaveWay


class Added(Struct, frozen=True, gc=False):
    """What became of a connection that was to be added, and of others because of it."""

    # Why it was not added; None: it was.
    refused: GaveWay | None = None
    # Who was removed for it.
    ended: Sequence[tuple[Entry, GaveWay]] = ()
    # Messages go to an older connection until that leaves.
    standby: bool = False
    # Who got the messages and waits now, behind one that was there before it.
    passed: Entry | None = None
    # Who waited and takes over, in place of one that is gone.
    activated: Sequence[Entry] = ()


class Removed(Struct, frozen=True, gc=False):
    """The connection that was removed, and who takes over from it."""

    entry: Entry
    activated: Sequence[Entry] = ()
