"""Which letters of a mailbox are on their way to whom, and how many may be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from maim_router.bridge import Prefetch
from maim_router.connection_map import Entry


class DrainProgress(Struct):
    """One box on its way: `targets` came for all of it, by connection id; the rest is out."""

    prefetch: Prefetch = Prefetch()
    targets: set[str] = field(default_factory=set)
    out: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    bytes: int = 0

    @property
    def full(self) -> bool:
        """Whether enough is on its way for now."""
        bytes_out = self.bytes >= self.prefetch.bytes and len(self.out) > 0
        return bytes_out or len(self.out) >= self.prefetch.letters

    def fit(self, prefetches: Iterable[Prefetch]) -> None:
        """Take no larger prefetch than any of these."""
        for one in prefetches:
            letters, size = (
                min(self.prefetch.letters, one.letters),
                min(self.prefetch.bytes, one.bytes),
            )
            self.prefetch = Prefetch(letters, size)

    def next(self, numbers: Iterable[int]) -> list[int]:
        """Tell which of a box's letters may leave now, in order."""
        room = self.prefetch.letters - len(self.out)
        return [number for number in numbers if number not in self.out][: max(room, 0)]

    def waits(self, numbers: Iterable[int]) -> bool:
        """Whether any letter of a box has not left yet."""
        return any(number not in self.out for number in numbers)

    def recipients(self, number: int, here: Sequence[Entry]) -> list[Entry]:
        """Tell who gets a letter: who came for what waits, and who was here when it came."""
        return [one for one in here if one.uuid in self.targets or one.since < number]

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
