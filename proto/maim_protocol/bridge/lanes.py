"""The order in which gathered items leave over the bridge: pure, no clock, no I/O.

Small items leave first come, first served. A payload over the chunk size is cut and its pieces
are interleaved with small items, so that one 50 MiB image never holds up a ping. What touches a
connection with a large item in front of it waits behind that item, and a large item begins when
the small ones that came before it have left: order per connection holds.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from maim_protocol.bridge.frames import CHUNK_BYTES, FRAME_BYTES, FRAME_MESSAGES, Chunk


class Item(Protocol):
    """Something that leaves over the bridge."""

    @property
    def conns(self) -> Sequence[int]:
        """Handles of the connections whose order it must keep."""

    @property
    def payload(self) -> bytes | memoryview:
        """What may have to be cut; empty for a control item."""


T = TypeVar("T", bound=Item)

# What an item costs beside its payload: columns, handles, ids.
ITEM_BYTES = 128


class Lanes(Generic[T]):
    """Two queues, small and large, with one order for each connection."""

    def __init__(self) -> None:
        self._small: deque[T] = deque()
        # With the number of small items that have to leave first.
        self._large: deque[tuple[int, T]] = deque()
        self._small_pushed = 0
        self._small_taken = 0
        self._behind_large: Counter[int] = Counter()
        self._offset = 0
        self._transfers = 0
        self._given_up: list[Chunk] = []

    def __bool__(self) -> bool:
        return bool(self._small or self._large or self._given_up)

    def push(self, item: T) -> None:
        """Append an item."""
        if len(item.payload) > CHUNK_BYTES or self._is_behind_large(item):
            self._large.append((self._small_pushed, item))
            self._behind_large.update(item.conns)
        else:
            self._small.append(item)
            self._small_pushed += 1

    def take(self) -> tuple[list[Chunk], list[tuple[T, int]]]:
        """Remove what fits into one frame: chunks, then items with their transfer (0: none)."""
        items: list[tuple[T, int]] = []
        budget = self._take_small(items, FRAME_BYTES)
        return self._take_large(items, max(budget, CHUNK_BYTES)), items

    def drain(self) -> list[T]:
        """Remove everything, small items first; the order per connection holds."""
        items = [*self._small, *(item for _, item in self._large)]
        self._small.clear()
        self._large.clear()
        self._behind_large.clear()
        self._small_taken = self._small_pushed
        self._offset = 0
        return items

    def remove(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Remove what is unwanted, small items first; what is half sent otherwise goes on."""
        half_sent, offset = (self._large[0][1] if self._offset else None), self._offset
        removed = []
        for item in self.drain():
            if unwanted(item):
                removed.append(item)
            else:
                self.push(item)
        if any(item is half_sent for item in removed):
            self._given_up.append(Chunk(self._transfers, b""))
        else:
            self._offset = offset
        return removed

    def _is_behind_large(self, item: T) -> bool:
        behind = self._behind_large
        return bool(behind) and any(conn in behind for conn in item.conns)

    def _take_small(self, items: list[tuple[T, int]], budget: int) -> int:
        small = self._small
        # One place is left for a large item, or many small ones could hold it up for ever.
        while small and budget > 0 and len(items) < FRAME_MESSAGES - 1:
            item = small.popleft()
            self._small_taken += 1
            budget -= len(item.payload) + ITEM_BYTES
            items.append((item, 0))
        return budget

    def _take_large(self, items: list[tuple[T, int]], budget: int) -> list[Chunk]:
        chunks, self._given_up = self._given_up, []
        while self._large and budget > 0 and len(items) < FRAME_MESSAGES:
            after, item = self._large[0]
            if after > self._small_taken:
                break
            if len(item.payload) > CHUNK_BYTES:
                budget -= CHUNK_BYTES
                chunks.append(self._next_chunk(item))
                if self._offset < len(item.payload):
                    continue
                items.append((item, self._transfers))
                self._offset = 0
            else:
                budget -= len(item.payload) + ITEM_BYTES
                items.append((item, 0))
            self._finish_large(item)
        return chunks

    def _next_chunk(self, item: T) -> Chunk:
        if self._offset == 0:
            self._transfers += 1
        start = self._offset
        self._offset = start + CHUNK_BYTES
        return Chunk(self._transfers, bytes(item.payload[start : self._offset]))

    def _finish_large(self, item: T) -> None:
        self._large.popleft()
        self._behind_large.subtract(item.conns)
        for conn in item.conns:
            if not self._behind_large[conn]:
                del self._behind_large[conn]
