"""Messages into a Python `on_message`."""

from __future__ import annotations

from benchmarks.measuring import Options, measure_handler
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS
from maim_bench.plan import Plan


async def run(name: str, options: Options) -> Sample:
    """Send to the handler, 50 connections with 16 in flight each."""
    async with SYSTEMS[name]("handler") as system:
        plan = Plan(urls=(system.url,), work="handler", connections=50, in_flight=16, **system.load)
        return await measure_handler(system, plan, options)


ROWS = (
    Row(
        "handler",
        "into a Python on_message",
        ("peer", "silenced", "pair", "local"),
        (Metric("us", "µs", 40, times=10),),
        run,
    ),
)
