"""When each client leaves an edge that drains, and when it shall come back: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

# Clients leave in so many batches a second, fewer clients one by one.
BATCHES_A_SECOND = 10
# The part of the window in which they are closed: each before its time to come back, and the
# rest is for those who take their time to go.
CLOSING = 2 / 3

C = TypeVar("C")


class Chance(Protocol):
    """Where the order and the fractions come from; `random.Random` is one."""

    def random(self) -> float:
        """Draw from [0, 1)."""

    def shuffle(self, x: list[C], /) -> None:
        """Put a list in any order."""


@dataclass(frozen=True, slots=True)
class Batch(Generic[C]):
    """Who is closed together, how long after the notices, and when each comes back."""

    after_seconds: float
    # Clients with their `retry_after_ms`, which counts from the notice.
    leaving: Sequence[tuple[C, int]]


def plan(clients: Sequence[C], window: float, chance: Chance) -> Sequence[Batch[C]]:
    """Spread the clients evenly over `window` seconds, in any order."""
    order = list(clients)
    chance.shuffle(order)
    count = len(order)
    back = [int(1000 * window * (rank + chance.random()) / count) for rank in range(count)]
    number = max(1, min(count, int(window * CLOSING * BATCHES_A_SECOND)))
    edges = [count * index // number for index in range(number + 1)]
    return [
        Batch(window * CLOSING * index / number, list(zip(order[a:b], back[a:b], strict=True)))
        for index, (a, b) in enumerate(pairwise(edges))
        if a < b
    ]
