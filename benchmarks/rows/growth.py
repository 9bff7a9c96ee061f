"""Whether a message costs the same with many connections, and with several edges."""

from __future__ import annotations

from typing import Any

from benchmarks.measuring import Options, measure
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import Pair
from maim_message.bench.descriptors import allow_descriptors, most_descriptors
from maim_message.bench.plan import Plan

SPARE_DESCRIPTORS = 200
# As many as the system allows one process, which the edge is here.
MOST = min(20_000, most_descriptors() - SPARE_DESCRIPTORS)
CONNECTIONS = (100, 1_000, 5_000, MOST)
EDGES = (1, 2, 4)
# Of all connections together: one each of the fewest, which more would serve in batches.
IN_FLIGHT = 100
# Connections over all edges, each with one message on its way on average.
OVER_EDGES = 400
FLAT = 1.2


async def connections(name: str, options: Options) -> Sample:
    """Send the same load over 100 to 20,000 connections, whoever is next sends."""
    allow_descriptors(MOST + SPARE_DESCRIPTORS)
    return await _compare({count: (count, 1) for count in CONNECTIONS}, IN_FLIGHT, options)


async def edges(name: str, options: Options) -> Sample:
    """Send the same load over 1, 2 and 4 edges; with several, from one edge to another."""
    return await _compare({count: (OVER_EDGES, count) for count in EDGES}, OVER_EDGES, options)


async def _compare(cases: dict[int, tuple[int, int]], in_flight: int, options: Options) -> Sample:
    """Measure cases by their number: connections and edges of each."""
    figures: dict[str, float] = {}
    notes: dict[str, float] = {}
    faults: dict[str, int] = {}
    for name, (count, edges) in cases.items():
        async with Pair("relay", edges=edges) as system:
            plan = Plan(
                urls=tuple(system.urls),
                connections=count,
                in_flight=in_flight,
                rotate=True,
                **system.load,
            )
            # Each has sent and been sent to before: who it is is known then.
            one = await measure(system, plan, options, warm_up_messages=2 * count)
        figures[f"us_{name}"] = one.figures["us"]
        notes |= {f"{key}_{name}": value for key, value in one.notes.items()}
        faults |= {f"{key} at {name}": value for key, value in one.faults.items()}
    costs = list(figures.values())
    figures["growth"] = costs[-1] / costs[0]
    return Sample(figures, notes, faults)


def _row(name: str, title: str, counts: tuple[int, ...], run: Any) -> Row:
    costs = [Metric(f"us_{count}", f"µs at {count:,}") for count in counts]
    metrics = (*costs, Metric("growth", "times the first", FLAT))
    return Row(name, title, ("pair",), metrics, run, most_rounds=1)


ROWS = (
    _row("growth", "a message with so many connections", CONNECTIONS, connections),
    _row("edges", "a message with so many edges", EDGES, edges),
)
