"""The table that `make bench` prints, as GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from benchmarks.report.figures import Figure, ratio, shown
from benchmarks.report.results import Run
from benchmarks.rounds import Samples
from benchmarks.rows import OURS, PEER, ROWS, Metric, Row

Results = Mapping[str, Samples]


def report(run: Run) -> str:
    """Write a run for people: the table, what the generator took, what was lost."""
    lines = [run.heading(), "", table(run.rows), "", generator_line(run.rows)]
    return "\n".join([*lines, *faults(run.rows)])


def table(results: Results) -> str:
    """Write one line a figure: each system's median (least to most), the goal, the ratio."""
    systems = _systems(results)
    head = ["work", "", *systems, "goal", "reached", "times better than the peer"]
    lines = [head, ["---"] * len(head)]
    for name, samples in results.items():
        row = ROWS[name]
        lines += [_line(row, metric, samples, systems) for metric in row.metrics]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def faults(results: Results) -> list[str]:
    """Name every system that lost something, loudly."""
    return [
        f"NOT CLEAN: {name}, {system}: {count} {what}"
        for name, samples in results.items()
        for system, taken in samples.items()
        for what, count in _added(sample.faults for sample in taken).items()
    ]


def generator_line(results: Results) -> str:
    """Say what the load generator took, which must not be what limits."""
    taken = [
        (sample.notes["generator_core"], f"{name}, {system}", sample.notes["generator_us"])
        for name, samples in results.items()
        for system, many in samples.items()
        for sample in many
        if sample.notes.get("generator_us")
    ]
    if not taken:
        return ""
    most, where, _ = max(taken)
    least = min(us for *_, us in taken)
    return (
        f"The load generator took at most {most:.0%} of a core ({where}), "
        f"from {least:.1f} µs a message."
    )


def _systems(results: Results) -> list[str]:
    found: dict[str, None] = {}
    for samples in results.values():
        found |= dict.fromkeys(samples)
    return list(found)


def _line(row: Row, metric: Metric, samples: Samples, systems: list[str]) -> list[str]:
    values = {name: _values(samples, name, metric) for name in systems}
    ours = Figure.of(values.get(OURS, []))
    reached = metric.reached(ours.median) if ours is not None else None
    return [
        row.title,
        metric.unit,
        *(_cell(Figure.of(values[name])) for name in systems),
        _goal(metric),
        "" if reached is None else "yes" if reached else "**no**",
        _times(metric, values.get(PEER, []), values.get(OURS, [])),
    ]


def _times(metric: Metric, peer: list[float], ours: list[float]) -> str:
    found = ratio(ours, peer) if metric.more_is_better else ratio(peer, ours)
    if found is None:
        return ""
    return f"{found:.1f} (goal {metric.times:g})" if metric.times else f"{found:.1f}"


def _values(samples: Samples, system: str, metric: Metric) -> list[float]:
    taken = samples.get(system, [])
    return [sample.figures[metric.name] for sample in taken if metric.name in sample.figures]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{shown(figure.median)} ({shown(figure.least)} to {shown(figure.most)})"


def _goal(metric: Metric) -> str:
    if metric.goal is None:
        return ""
    return f"{'≥' if metric.more_is_better else '≤'} {shown(metric.goal)}"


def _added(many: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for one in many:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    return total
