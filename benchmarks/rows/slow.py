"""What one client that does not read does to a thousand others."""

from __future__ import annotations

import asyncio
import time

from benchmarks.measuring import WARM_UP_SECONDS, Options
from benchmarks.rows.broadcast import RECEIVERS, broadcast_at
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS, System
from maim_bench.generator import Generator
from maim_bench.plan import Plan
from maim_bench.report import Report

BROADCASTS_A_SECOND = 4
# Enough to fill the system's buffers of one connection within a second or two.
LARGE_BYTES = 64 * 1024
LARGE_A_SECOND = 100
LEAST_SECONDS = 6.0


async def run(name: str, options: Options) -> Sample:
    """Broadcast while one of two more clients is sent much; first it reads, then it does not."""
    seconds = max(options.seconds, LEAST_SECONDS)
    reports = []
    for slow in (0, 1):
        async with SYSTEMS[name]("relay") as system:
            reports.append(await _broadcasts(system, seconds, slow))
    p99 = [report.histogram.percentile_us(99) / 1000 for report in reports]
    figures = {"p99_without": p99[0], "p99_with": p99[1], "growth": p99[1] / max(p99[0], 0.001)}
    expected = BROADCASTS_A_SECOND * seconds * RECEIVERS
    notes = {"arrived_with": reports[1].delivered / expected}
    faults = {} if notes["arrived_with"] > 1 / 2 else {"messages that others did not get": 1}
    return Sample(figures, notes, faults)


async def _broadcasts(system: System, seconds: float, slow: int) -> Report:
    listening = Plan(
        urls=(system.url,), work="listen", connections=RECEIVERS, client_acks=False, **system.load
    )
    flood = Plan(
        urls=(system.url,),
        connections=2,
        first=RECEIVERS,
        rate=LARGE_A_SECOND,
        size=LARGE_BYTES,
        slow=slow,
        **system.load,
    )
    async with Generator(listening) as listeners, Generator(flood) as flooding:
        await flooding.go()
        await asyncio.sleep(WARM_UP_SECONDS)
        await listeners.go()
        await _send_all(system, seconds)
        return await listeners.window()


async def _send_all(system: System, seconds: float) -> None:
    """Send by the clock, whether or not the ones before have been written."""
    began = time.monotonic()
    tasks = []
    for number in range(round(BROADCASTS_A_SECOND * seconds)):
        moment = began + number / BROADCASTS_A_SECOND
        await asyncio.sleep(max(0.0, moment - time.monotonic()))
        tasks.append(asyncio.create_task(broadcast_at(system, moment, "")))
    await asyncio.wait(tasks, timeout=WARM_UP_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


ROWS = (
    Row(
        "slow",
        "one slow reader among 1,000, the others",
        ("peer", "pair", "local"),
        (
            Metric("p99_without", "ms p99 without"),
            Metric("p99_with", "ms p99 with"),
            Metric("growth", "times", 1.2),
        ),
        run,
        most_rounds=1,
    ),
)
