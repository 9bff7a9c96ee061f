"""One message to everybody: cost a delivery, and what one slow reader does to the others."""

from __future__ import annotations

import time

from benchmarks.measuring import DRAIN_SECONDS, WARM_UP_SECONDS, Meter, Options, sample
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS, System
from maim_bench.clients import make_token
from maim_bench.generator import Generator
from maim_bench.plan import Plan

RECEIVERS = 1000
# With it the payload is as large as in the other rows.
PADDING = "x" * 120
SLOW_TEXT = "x" * 4000
PER_SECOND = 8


async def broadcast_at(system: System, moment: float, padding: str) -> None:
    """Send a text that says when it was due, as what listens expects it."""
    await system.broadcast(make_token(int(moment * 1e6)).decode() + padding)


class Broadcasts:
    """Sends to all while at most two are on their way, and knows how many have come."""

    def __init__(self, system: System, generator: Generator) -> None:
        self._system = system
        self._generator = generator
        self._sent = 0
        self.lost = 0

    async def run(self, seconds: float) -> None:
        """Send for so long, and wait until all of it has come."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            await broadcast_at(self._system, now, PADDING)
            self._sent += 1
            await self._arrived(self._sent - 1)
        await self._arrived(self._sent)

    async def _arrived(self, count: int) -> None:
        """What has not come in time is lost, and waited for no more."""
        expected = count * RECEIVERS - self.lost
        came = await self._generator.reach(expected, DRAIN_SECONDS)
        self.lost += max(0, expected - came)


async def run(name: str, options: Options, *, acks: bool = False) -> Sample:
    """Broadcast to a thousand clients."""
    async with SYSTEMS[name]("relay") as system:
        plan = Plan(
            urls=(system.url,),
            work="listen",
            connections=RECEIVERS,
            client_acks=acks,
            **system.load,
        )
        async with Generator(plan) as generator:
            await generator.go()
            broadcasts = Broadcasts(system, generator)
            await broadcasts.run(WARM_UP_SECONDS)
            warming = await generator.window()
            meter = Meter(system.programs)
            await broadcasts.run(options.seconds)
            spent = meter.spent()
            report = await generator.window()
            report.lost = broadcasts.lost
            report.blame(warming)
        return sample(report, spent, report.delivered)


async def with_acks(name: str, options: Options) -> Sample:
    """Broadcast to clients that acknowledge."""
    return await run(name, options, acks=True)


ROWS = (
    Row(
        "broadcast",
        "broadcast to 1,000, a delivery",
        ("peer", "silenced", "pair", "local", "socketio", "nchan", "nats"),
        (Metric("us", "µs", 12, times=6), Metric("p99_ms", "ms p99")),
        run,
    ),
    Row(
        "broadcast-acked",
        "the same to clients that acknowledge",
        ("peer", "silenced", "pair", "local"),
        (Metric("us", "µs"),),
        with_acks,
        on_demand=True,
    ),
)
