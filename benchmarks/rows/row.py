"""What a row of the table is: how it is measured, of which systems, and what the goals are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.measuring import Options
from benchmarks.sample import Sample

# The system that the goals are for, and the one that it is compared with.
OURS = "pair"
PEER = "peer"


@dataclass(frozen=True)
class Metric:
    """A figure of a row; `goal` is the most that is good, or the least with `more_is_better`.

    A goal was set on one machine; `times` is what it was there of the peer's figure, as is, and
    holds on any machine.
    """

    name: str
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    times: float | None = None

    def reached(self, value: float) -> bool | None:
        """Whether a value meets the goal; None without one."""
        if self.goal is None:
            return None
        return value >= self.goal if self.more_is_better else value <= self.goal


@dataclass(frozen=True)
class Row:
    """`run` measures the system of a name once, from its start to its end."""

    name: str
    title: str
    systems: tuple[str, ...]
    metrics: tuple[Metric, ...]
    run: Callable[[str, Options], Awaitable[Sample]]
    # Rows that take long run only when they are named.
    on_demand: bool = False
    most_rounds: int = 100
