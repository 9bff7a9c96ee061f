"""Sends at a fixed rate whatever comes back: latency counts from when a message was due."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from maim_bench.plan import Plan
from maim_bench.schedule import Schedule, offsets
from maim_bench.ticker import Ticker

# The schedule repeats after about so long.
_PERIOD_SECONDS = 10


class OpenLoop:
    """Calls `send` with each moment of the schedule, late ones too."""

    def __init__(self, plan: Plan, send: Callable[[float], None]) -> None:
        self._rate = plan.rate
        count = max(1, round(plan.rate * _PERIOD_SECONDS))
        self._offsets = offsets(plan.rate, count, plan.arrivals, random.Random(plan.seed))  # noqa: S311 - no secret, a schedule
        self._schedule: Schedule | None = None
        self._send = send
        self._ticker: Ticker | None = None

    def start(self) -> None:
        """Begin the schedule now."""
        period = max(len(self._offsets) / self._rate, self._offsets[-1])
        self._schedule = Schedule(self._offsets, period, time.monotonic())
        self._ticker = Ticker(self._tick)
        self._tick()

    def stop(self) -> None:
        """Send nothing more."""
        if self._ticker is not None:
            self._ticker.close()

    def _tick(self) -> None:
        if self._schedule is None or self._ticker is None:
            return
        for moment in self._schedule.due(time.monotonic()):
            self._send(moment)
        self._ticker.at(self._schedule.next)
