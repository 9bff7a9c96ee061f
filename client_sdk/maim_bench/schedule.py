"""When the messages of an open loop are due: made beforehand, kept whatever happens; no clock."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

Arrivals = Literal["even", "poisson"]


def offsets(rate: float, count: int, arrivals: Arrivals, rng: random.Random) -> list[float]:
    """Make `count` moments in seconds from the start, `rate` a second on average."""
    if arrivals == "even":
        return [number / rate for number in range(count)]
    return list(accumulate(rng.expovariate(rate) for _ in range(count)))


@dataclass(slots=True)
class Schedule:
    """Repeats its offsets for ever, so that a long run needs no long list."""

    offsets: Sequence[float]
    period: float
    began: float
    _next: int = field(default=0)
    _lap: int = field(default=0)

    @property
    def next(self) -> float:
        """When the next message is due."""
        return self.began + self._lap * self.period + self.offsets[self._next]

    def due(self, now: float) -> list[float]:
        """Take every moment that has come."""
        taken = []
        while (moment := self.next) <= now:
            taken.append(moment)
            self._next += 1
            if self._next == len(self.offsets):
                self._next, self._lap = 0, self._lap + 1
        return taken
