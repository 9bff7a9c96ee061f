"""Which letters of a mailbox are on their way to whom, and how many may be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from maim_router.connection_map import Entry

# What of one box may be on its way: less than an edge keeps for one client, and enough for a
# client that acknowledges nothing to be asked what it has read.
SLICE_LETTERS = 256
SLICE_BYTES = 4 << 20


class Round(Struct):
    """One box on its way: `targets` came for all of it, by connection id; the rest is out."""

    targets: set[str] = field(default_factory=set)
    out: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def full(self) -> bool:
        """Whether enough is on its way for now."""
        return len(self.out) >= SLICE_LETTERS or self.bytes >= SLICE_BYTES

    def next(self, numbers: Iterable[int]) -> list[int]:
        """Tell which of a box's letters may leave now, in order."""
        room = SLICE_LETTERS - len(self.out)
        return [number for number in numbers if number not in self.out][: max(room, 0)]

    def waits(self, numbers: Iterable[int]) -> bool:
        """Whether any letter of a box has not left yet."""
        return any(number not in self.out for number in numbers)

    def recipients(self, number: int, here: Sequence[Entry]) -> list[Entry]:
        """Tell who gets a letter: who came for what waits, and who was here when it came."""
        return [one for one in here if one.uuid in self.targets or one.came < number]

    def leave(self, number: int, size: int) -> None:
        """Note that a letter is on its way once more."""
        self.out[number] = self.out.get(number, 0) + 1
        if number not in self.sizes:
            self.sizes[number] = size
            self.bytes += size

    def back(self, number: int) -> None:
        """Note that a letter is back from one connection."""
        left = self.out.get(number, 0) - 1
        if left > 0:
            self.out[number] = left
        else:
            self.over(number)

    def over(self, number: int) -> None:
        """Note that a letter is on its way no more."""
        self.out.pop(number, None)
        self.bytes -= self.sizes.pop(number, 0)
