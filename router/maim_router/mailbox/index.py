"""Which letters lie in which box, how large they are and when they end: pure.

The order of expiry is one of boxes, not of letters: each waits in a heap for the earliest end that
it may have, so that a letter costs nothing there.
"""

from __future__ import annotations

import heapq

from maim_router.mailbox.box import Box
from maim_router.mailbox.interface import Bounds
from maim_router.mailbox.letter import BoxKey, Place

# Outdated entries that the heap may hold beside as many as there are boxes.
OUTDATED = 100
# Microseconds, for ever.
NEVER = 9e18


class Index:
    """All boxes; whoever stores letters asks it first and tells it."""

    def __init__(self) -> None:
        self._boxes: dict[BoxKey, Box] = {}
        # An entry counts only while its box has the same `due`.
        self._heap: list[tuple[int, BoxKey]] = []
        self.messages = 0
        self.bytes = 0

    def has(self, key: BoxKey) -> bool:
        """Whether a box has letters."""
        return key in self._boxes

    def holds(self, key: BoxKey, number: int) -> bool:
        """Whether a box has this letter."""
        box = self._boxes.get(key)
        return box is not None and number in box

    def boxes(self) -> list[BoxKey]:
        """List the boxes that have letters."""
        return list(self._boxes)

    def numbers(self, key: BoxKey) -> list[int]:
        """List the letters of a box, ascending."""
        box = self._boxes.get(key)
        return [] if box is None else box.numbers()

    def usage(self, key: BoxKey) -> tuple[int, int]:
        """Tell how many letters and bytes a box has."""
        box = self._boxes.get(key)
        return (0, 0) if box is None else (len(box), box.bytes)

    def fits(self, key: BoxKey, size: int, bounds: Bounds) -> bool:
        """Whether there is room for one more letter of this size."""
        messages, used = self.usage(key)
        return (
            messages < bounds.messages
            and used + size <= bounds.bytes
            and self.bytes + size <= bounds.total_bytes
        )

    def add(self, key: BoxKey, number: int, size: int, expires_at: float) -> None:
        """Add a letter that is not there; raises `OverflowError` for more than 64 bits."""
        end = _microseconds(expires_at)
        box = self._boxes.get(key) or Box()
        box.add(number, size, end)
        self.messages += 1
        self.bytes += size
        if key not in self._boxes or end < box.due:
            self._boxes[key] = box
            self._look_at(end, key, box)

    def remove(self, key: BoxKey, number: int) -> bool:
        """Remove a letter; whether it was there."""
        box = self._boxes.get(key)
        if box is None or number not in box:
            return False
        self._remove(key, box, number)
        return True

    def expire(self, now: float, most: int) -> list[Place]:
        """Remove letters whose end has come, `most` at most, and say which."""
        gone: list[Place] = []
        end = _microseconds(now)
        while len(gone) < most and self._heap and self._heap[0][0] <= end:
            due, key = heapq.heappop(self._heap)
            box = self._boxes.get(key)
            if box is not None and box.due == due:
                numbers = box.overdue(end, most - len(gone))
                gone += [(*key, number) for number in numbers]
                self._shed(key, box, numbers)
        return gone

    def _shed(self, key: BoxKey, box: Box, numbers: list[int]) -> None:
        for number in numbers:
            self._remove(key, box, number)
        if len(box):
            self._look_at(box.first_end(), key, box)

    def _remove(self, key: BoxKey, box: Box, number: int) -> None:
        self.bytes -= box.remove(number)
        self.messages -= 1
        if not len(box):
            del self._boxes[key]

    def _look_at(self, due: int, key: BoxKey, box: Box) -> None:
        """Look at a box at `due`; sweeps the heap when most of it is outdated."""
        box.due = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._boxes) + OUTDATED:
            self._heap = [(box.due, key) for key, box in self._boxes.items()]
            heapq.heapify(self._heap)


def _microseconds(seconds: float) -> int:
    return int(min(seconds * 1e6, NEVER))
