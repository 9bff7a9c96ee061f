"""Bytes that connections hold, and which of them let go when it is too much."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Protocol

# Less than this in one place is not counted: small messages pass whatever others hold.
UNCOUNTED_BYTES = 64 * 1024

Pieces = Sequence[bytes]


class Holder(Protocol):
    """Who holds bytes, and can let go of them by ending its connection."""

    def give_up(self) -> None:
        """Let go of everything, now."""


class MemoryBudget:
    """At most `limit` bytes for all connections of a process; the largest holder goes first.

    `elsewhere` tells the bytes that are held where no single connection can let go of them.
    Whoever goes is told so after this turn of the event loop, which nobody is in the middle of.
    """

    def __init__(self, limit: float = math.inf, elsewhere: Callable[[], int] = int) -> None:
        self._limit = limit
        self._elsewhere = elsewhere
        self._own: dict[Holder, int] = {}
        self._weights: dict[Holder, int] = {}
        self._kept: dict[int, int] = {}
        self._due = False
        self.used = 0

    def hold(self, holder: Holder, own: int, shared: int = 0) -> None:
        """Say what somebody holds now: bytes of its own, and such as are counted by `keep`."""
        before = self._own.pop(holder, 0)
        self._weights.pop(holder, None)
        if own:
            self._own[holder] = own
        if own + shared:
            self._weights[holder] = own + shared
        self._count(own - before)

    def keep(self, pieces: Pieces) -> None:
        """Count what waits to be written, once for all who are to write the same object."""
        held = self._kept.get(id(pieces), 0)
        self._kept[id(pieces)] = held + 1
        if not held:
            self._count(sum(map(len, pieces)))

    def drop(self, pieces: Pieces) -> None:
        """Take back one `keep`."""
        held = self._kept.pop(id(pieces)) - 1
        if held:
            self._kept[id(pieces)] = held
        else:
            self._count(-sum(map(len, pieces)))

    def relieve(self) -> None:
        """Have the largest holders give up until the rest fits."""
        self._due = False
        while self._weights and self._over:
            largest = max(self._weights, key=self._weights.__getitem__)
            del self._weights[largest]
            largest.give_up()

    @property
    def _over(self) -> bool:
        return self.used + self._elsewhere() > self._limit

    def _count(self, more: int) -> None:
        self.used += more
        if more > 0 and not self._due and self._over:
            self._due = True
            asyncio.get_running_loop().call_soon(self.relieve)
