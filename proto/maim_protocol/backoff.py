"""When to try again: exponential ceilings with full jitter; no clock and no random source here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LAST_DOUBLING = 32


@dataclass
class Backoff:
    """Counts failures in a row; `draw` returns a number from 0 to below 1."""

    base_seconds: float
    cap_seconds: float
    draw: Callable[[], float]
    failures: int = 0

    @property
    def ceiling_seconds(self) -> float:
        """The longest that the next wait can be."""
        doubled = self.base_seconds * 2.0 ** min(self.failures, _LAST_DOUBLING)
        return min(self.cap_seconds, doubled)

    def next_delay(self, at_least_seconds: float = 0.0) -> float:
        """Count a failure and say how long to wait.

        `at_least_seconds` is what the server asked for; the jitter comes on top of it, so that
        the clients whom it told the same do not come back together.
        """
        delay = at_least_seconds + self.draw() * self.ceiling_seconds
        self.failures += 1
        return delay

    def link_lasted(self, seconds: float) -> None:
        """Start over after a link that lasted; one that broke at once counts as a failure."""
        if seconds >= self.ceiling_seconds:
            self.reset()

    def reset(self) -> None:
        """Start over."""
        self.failures = 0
