"""Whether a message costs the same with many connections, and with several edges."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.measuring import Options, measure
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import Pair
from maim_bench.descriptors import allow_descriptors, most_descriptors
from maim_bench.plan import Plan

SPARE_DESCRIPTORS = 200
# As many as the system allows one process, which the edge is here.
MOST = min(20_000, most_descriptors() - SPARE_DESCRIPTORS)
CONNECTIONS = (100, 1_000, 5_000, MOST)
EDGES = (1, 2, 4)
# Messages a second over all connections. In a closed loop few connections would each get an
# acknowledgement and the next message in one write, many would get two: another load.
RATE = 8_000.0
# Connections over all edges, each with one message on its way on average.
OVER_EDGES = 400
FLAT = 1.2


async def connections(name: str, options: Options) -> Sample:
    """Send so many messages a second over 100 to 20,000 connections."""
    allow_descriptors(MOST + SPARE_DESCRIPTORS)
    cases = {count: _Case(count, 1, rate=RATE) for count in CONNECTIONS}
    return await _compare(cases, options)


async def edges(name: str, options: Options) -> Sample:
    """Send the same load over 1, 2 and 4 edges; with several, from one edge to another."""
    cases = {count: _Case(OVER_EDGES, count, in_flight=OVER_EDGES) for count in EDGES}
    return await _compare(cases, options)


class _Case(NamedTuple):
    """A closed loop of so many messages `in_flight`, whoever is next sends, or an open one."""

    connections: int
    edges: int
    in_flight: int = 1
    rate: float = 0.0


async def _compare(cases: dict[int, _Case], options: Options) -> Sample:
    """Measure cases by their number."""
    figures: dict[str, float] = {}
    notes: dict[str, float] = {}
    faults: dict[str, int] = {}
    for name, case in cases.items():
        async with Pair("relay", edges=case.edges) as system:
            plan = Plan(
                urls=tuple(system.urls),
                connections=case.connections,
                in_flight=case.in_flight,
                rotate=not case.rate,
                rate=case.rate,
                **system.load,
            )
            # Each has sent and been sent to before: who it is is known then.
            warm_up = 2 * case.connections
            one = await measure(system, plan, options, warm_up_messages=warm_up)
        figures[f"us_{name}"] = one.figures["us"]
        notes |= {f"{key}_{name}": value for key, value in one.notes.items()}
        faults |= {f"{key} at {name}": value for key, value in one.faults.items()}
    costs = list(figures.values())
    figures["growth"] = costs[-1] / costs[0]
    return Sample(figures, notes, faults)


def _row(name: str, title: str, counts: tuple[int, ...], run: Any) -> Row:
    costs = [Metric(f"us_{count}", f"µs at {count:,}") for count in counts]
    metrics = (*costs, Metric("growth", "times the first", FLAT))
    return Row(name, title, ("pair",), metrics, run)


ROWS = (
    _row("growth", "a message with so many connections", CONNECTIONS, connections),
    _row("edges", "a message with so many edges", EDGES, edges),
)
