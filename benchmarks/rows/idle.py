"""What connections cost that do nothing, and how fast they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from benchmarks.measuring import Meter, Options
from benchmarks.process import Program
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS
from maim_bench.generator import Generator
from maim_bench.plan import Plan

CONNECTIONS = 5000
# What is allocated once, for the first connections, is no part of what one costs.
FIRST_CONNECTIONS = 200
# Every connection is pinged once in this time.
IDLE_SECONDS = 20.0


def memory(programs: Mapping[str, Program]) -> dict[str, int]:
    """Resident bytes of each program."""
    return {name: program.rss_bytes() for name, program in programs.items()}


async def idle(name: str, options: Options) -> Sample:
    """Open 5,000 connections, leave them alone, and look at memory and CPU."""
    async with SYSTEMS[name]("relay") as system:
        first = Plan(
            urls=(system.url,), work="listen", connections=FIRST_CONNECTIONS, **system.load
        )
        rest = Plan(
            urls=(system.url,),
            work="listen",
            connections=CONNECTIONS,
            first=FIRST_CONNECTIONS,
            **system.load,
        )
        async with Generator(first):
            before = memory(system.programs)
            async with Generator(rest) as generator:
                await generator.go()
                meter = Meter(system.programs)
                await asyncio.sleep(IDLE_SECONDS)
                after = memory(system.programs)
                share = sum(meter.spent().values()) / meter.seconds() * 100
                report = await generator.window()
    grown = {name: (after[name] - before[name]) / CONNECTIONS / 1024 for name in after}
    figures = {"kb": sum(grown.values()), "cpu_percent": share}
    return Sample(figures | {f"kb_{name}": kb for name, kb in grown.items()}, {}, report.faults)


async def accept(name: str, options: Options) -> Sample:
    """Open 5,000 connections as fast as they are taken."""
    async with SYSTEMS[name]("relay") as system:
        plan = Plan(urls=(system.url,), work="listen", connections=CONNECTIONS, **system.load)
        meter = Meter(system.programs)
        async with Generator(plan) as generator:
            spent = meter.spent()
            opened = generator.opened
            cpu = generator.opening_cpu_seconds
    figures = {
        "per_second": opened.made / opened.seconds,
        "us": sum(spent.values()) / opened.made * 1e6,
    }
    notes = {f"us_{part}": seconds / opened.made * 1e6 for part, seconds in spent.items()}
    notes["generator_us"] = cpu / opened.made * 1e6
    notes["generator_core"] = cpu / opened.seconds
    return Sample(figures, notes)


ROWS = (
    Row(
        "idle",
        "an idle connection at 5,000",
        ("peer", "pair", "local"),
        (
            Metric("kb_edge", "KB edge", 10),
            Metric("kb_router", "KB router", 1.5),
            Metric("kb", "KB together", 11.5, times=3.2),
            Metric("cpu_percent", "% of a core", 1, times=75),
        ),
        idle,
        most_rounds=1,
    ),
    Row(
        "accept",
        "connections accepted, to 5,000, authenticated",
        ("peer", "silenced", "pair", "local"),
        (
            Metric("per_second", "a second", 1500, more_is_better=True, times=4),
            Metric("us", "µs each"),
        ),
        accept,
    ),
)
