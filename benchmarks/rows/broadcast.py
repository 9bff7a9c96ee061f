"""One message to everybody: cost a delivery, and what one slow reader does to the others."""

from __future__ import annotations

import asyncio
import time

from benchmarks.measuring import DRAIN_SECONDS, KEY, WARM_UP_SECONDS, Meter, Options, added, sample
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS, System
from maim_message.bench.frames import make_token
from maim_message.bench.generator import Generator
from maim_message.bench.plan import Plan
from maim_message.bench.report import Report

RECEIVERS = 1000
# With it the payload is as large as in the other rows.
PADDING = "x" * 120
SLOW_TEXT = "x" * 4000
PER_SECOND = 8


async def broadcast_at(system: System, moment: float, padding: str) -> None:
    """Send a text that says when it was due, as what listens expects it."""
    await system.broadcast(make_token(int(moment * 1e6)).decode() + padding)


async def back_to_back(system: System, seconds: float) -> int:
    """Send one after the other, each when the one before is written; returns how many."""
    until = time.monotonic() + seconds
    count = 0
    while (now := time.monotonic()) < until:
        await broadcast_at(system, now, PADDING)
        count += 1
    return count


async def run(name: str, options: Options, *, acks: bool = False) -> Sample:
    """Broadcast to a thousand clients."""
    async with SYSTEMS[name]("relay") as system:
        plan = Plan(url=system.url, key=KEY, work="listen", connections=RECEIVERS, client_acks=acks)
        async with Generator(plan) as generator:
            await generator.go()
            sent = await back_to_back(system, WARM_UP_SECONDS)
            warming = await arrived(generator, sent * RECEIVERS)
            meter = Meter(system.programs)
            sent = await back_to_back(system, options.seconds)
            report = await arrived(generator, sent * RECEIVERS)
            spent = meter.spent()
            rest = await generator.finish(0)
        return sample(report, spent, report.delivered, added(warming, report, rest))


async def with_acks(name: str, options: Options) -> Sample:
    """Broadcast to clients that acknowledge."""
    return await run(name, options, acks=True)


async def arrived(generator: Generator, expected: int) -> Report:
    """Wait for what is on its way; what does not come is lost."""
    report = await generator.window()
    for _ in range(round(DRAIN_SECONDS / 0.02)):
        if report.delivered >= expected:
            break
        await asyncio.sleep(0.02)
        report.add(await generator.window())
    report.lost = max(0, expected - report.delivered)
    return report


ROWS = (
    Row(
        "broadcast",
        "broadcast to 1,000, a delivery",
        ("peer", "silenced", "pair", "local"),
        (Metric("us", "µs", 12), Metric("p99_ms", "ms p99")),
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
