"""Messages from client to client, in closed and in open loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.measuring import Options, measure
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import SYSTEMS
from maim_bench.plan import Plan

FIELD = ("socketio", "nchan", "nats")
OUR_SYSTEMS = ("peer", "silenced", "pair", "local")


def runs(**load: Any) -> Callable[[str, Options], Awaitable[Sample]]:
    """Make a row's `run` of a load."""

    async def run(name: str, options: Options) -> Sample:
        async with SYSTEMS[name]("relay") as system:
            return await measure(system, Plan(urls=(system.url,), **load, **system.load), options)

    return run


def closed(
    name: str,
    title: str,
    goal: tuple[float, float | None],
    systems: tuple[str, ...] = OUR_SYSTEMS,
    **load: Any,
) -> Row:
    """A row in closed loop: what counts is the cost, in µs and against the peer's."""
    goal_us, times = goal
    metrics = (Metric("us", "µs", goal_us, times=times),)
    return Row(name, title, systems, metrics, runs(**load))


def opened(rate: int, goal_us: float | None, goal_p50_ms: float | None) -> Row:
    """A row in open loop: what counts is cost and latency."""
    p50 = Metric("p50_ms", "ms p50", goal_p50_ms)
    p99 = Metric("p99_ms", "ms p99", 10.0 if goal_p50_ms else None)
    metrics = (Metric("us", "µs", goal_us), p50, p99)
    title = f"routed, open loop at {rate:,} a second"
    # The peer ends between 1,000 and 4,000 a second: it would only queue.
    systems = OUR_SYSTEMS if rate <= 1000 else ("pair", "local")
    return Row(f"open{rate}", title, systems, metrics, runs(rate=rate, connections=50))


def closed_rows() -> list[Row]:
    """Every load that waits for its messages."""
    most = (*OUR_SYSTEMS, *FIELD)
    return [
        closed("routed16", "routed, 50 connections, 16 in flight", (45, 25), most, in_flight=16),
        closed(
            "routed4x400",
            "routed, 400 connections, 4 in flight",
            (45, None),
            connections=400,
            in_flight=4,
        ),
        closed("routed1", "routed, 50 connections, 1 in flight", (90, 12.6), most, in_flight=1),
    ]


ROWS = (
    *closed_rows(),
    opened(100, 500, None),
    opened(1000, None, 1.0),
    opened(4000, None, 1.0),
    opened(8000, 100, 1.0),
)
