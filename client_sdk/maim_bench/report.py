"""What happened in a time, over all generator processes: counts, latencies, cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maim_bench.histogram import Histogram

COUNTS = ("sent", "delivered", "acked", "completed", "duplicates", "lost", "unacknowledged")


@dataclass
class Report:
    """Sums over generator processes; `seconds` is the longest window of them.

    A message counts as completed when the receiver has it and the sender its ack (what of the two
    the plan awaits).
    """

    seconds: float = 0.0
    sent: int = 0
    delivered: int = 0
    acked: int = 0
    completed: int = 0
    duplicates: int = 0
    lost: int = 0
    unacknowledged: int = 0
    cpu_seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    histogram: Histogram = field(default_factory=Histogram)

    @property
    def per_second(self) -> float:
        """Completed messages a second."""
        return self.completed / self.seconds if self.seconds else 0.0

    @property
    def generator_us(self) -> float:
        """CPU microseconds of the generator a completed message."""
        return self.cpu_seconds / self.completed * 1e6 if self.completed else 0.0

    @property
    def generator_core(self) -> float:
        """Share of one core that the generator took."""
        return self.cpu_seconds / self.seconds if self.seconds else 0.0

    @property
    def faults(self) -> dict[str, int]:
        """What should not have happened, by name; empty when all is well."""
        found = {"lost": self.lost, "unacknowledged": self.unacknowledged}
        found["duplicates"] = self.duplicates
        found |= self.errors
        return {name: count for name, count in found.items() if count}

    def add(self, later: Report) -> None:
        """Add the window that came after this one."""
        for name in (*COUNTS, "seconds", "cpu_seconds"):
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.errors.update(later.errors)
        self.histogram.merge(later.histogram)

    def blame(self, *others: Report) -> None:
        """Add the faults of other windows to this one, not what they measured."""
        for other in others:
            self.lost += other.lost
            self.unacknowledged += other.unacknowledged
            self.duplicates += other.duplicates
            self.errors.update(other.errors)

    def lines(self) -> list[str]:
        """Say it for people."""
        latency = self.histogram.summary_ms()
        told = [
            f"{self.completed} messages in {self.seconds:.1f} s: {self.per_second:,.0f} a second",
            "latency ms: " + ", ".join(f"{name} {ms:.2f}" for name, ms in latency.items()),
            f"generator: {self.generator_us:.1f} µs a message, {self.generator_core:.0%} of a core",
        ]
        if self.faults:
            counts = ", ".join(f"{count} {name}" for name, count in self.faults.items())
            told.append(f"NOT CLEAN: {counts}")
        return told

    def to_dict(self) -> dict[str, Any]:
        """Write it for a script."""
        counts = {name: getattr(self, name) for name in COUNTS}
        return counts | {
            "seconds": self.seconds,
            "per_second": self.per_second,
            "latency_ms": self.histogram.summary_ms(),
            "generator_cpu_seconds": self.cpu_seconds,
            "generator_us_per_message": self.generator_us,
            "generator_share_of_a_core": self.generator_core,
            "faults": self.faults,
        }


def report_of(answer: dict[str, Any]) -> Report:
    """Read what a worker process told."""
    values = answer | {
        "errors": Counter(answer["errors"]),
        "histogram": Histogram.from_dict(answer["histogram"]),
    }
    return Report(**values)


def summed(reports: Sequence[Report]) -> Report:
    """Add up what processes did at the same time."""
    total = Report()
    for report in reports:
        seconds = max(total.seconds, report.seconds)
        total.add(report)
        total.seconds = seconds
    return total
