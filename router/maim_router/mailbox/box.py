"""What is known of the letters of one box without reading them: pure.

A letter takes 24 bytes: its number, its size and its end, side by side in one array.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import islice

WIDTH = 3
# Rows that may lie dead at the front before the array moves up.
DEAD = 32


class Box:
    """Rows that ascend by number; mostly added at the end and removed at the front."""

    __slots__ = ("_dead", "_rows", "bytes", "due")

    def __init__(self) -> None:
        self._rows = array("q")
        self._dead = 0
        self.bytes = 0
        # When somebody has to look for overdue letters; the index keeps it.
        self.due = 0

    def __len__(self) -> int:
        return len(self._rows) // WIDTH - self._dead

    def __contains__(self, number: int) -> bool:
        row = self._row(number)
        return row * WIDTH < len(self._rows) and self._rows[row * WIDTH] == number

    def numbers(self) -> list[int]:
        """List the numbers, ascending."""
        return self._rows[self._dead * WIDTH :: WIDTH].tolist()

    def add(self, number: int, size: int, end: int) -> None:
        """Add a letter that is not there; raises `OverflowError` for more than 64 bits."""
        place = self._row(number) * WIDTH
        self._rows[place:place] = array("q", (number, size, end))
        self.bytes += size

    def remove(self, number: int) -> int:
        """Remove a letter that is there; returns its size."""
        row = self._row(number)
        size = self._rows[row * WIDTH + 1]
        if row == self._dead:
            self._drop_first()
        else:
            del self._rows[row * WIDTH : (row + 1) * WIDTH]
        self.bytes -= size
        return size

    def overdue(self, now: int, most: int) -> list[int]:
        """List numbers of letters whose end has come, `most` at most."""
        first = self._dead * WIDTH
        ends = enumerate(self._rows[first + 2 :: WIDTH])
        rows = (row for row, end in ends if end <= now)
        return [self._rows[first + row * WIDTH] for row in islice(rows, most)]

    def first_end(self) -> int:
        """Tell the earliest end of its letters; there must be one."""
        return min(self._rows[self._dead * WIDTH + 2 :: WIDTH])

    def _row(self, number: int) -> int:
        """Find the row of a number, or the one before which it belongs."""
        rows = self._rows
        count = len(rows) // WIDTH
        if count == self._dead or number > rows[-WIDTH]:
            return count
        if number <= rows[self._dead * WIDTH]:
            return self._dead
        alive = range(self._dead, count)
        return self._dead + bisect_left(alive, number, key=lambda row: rows[row * WIDTH])

    def _drop_first(self) -> None:
        """Leave the first row where it is, so that emptying a large box moves little."""
        self._dead += 1
        if self._dead > DEAD and self._dead * 2 * WIDTH > len(self._rows):
            del self._rows[: self._dead * WIDTH]
            self._dead = 0
