"""The picture of a run: cost of a message by row and system, on a logarithmic scale."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from benchmarks.report.figures import Figure
from benchmarks.report.results import FOLDER, Run
from benchmarks.rows import ROWS

METRIC = "us"
HEIGHT = 0.8


def draw(run: Run) -> Path:
    """Draw every row whose figure is a cost, and write it beside the results."""
    rows = [name for name in run.rows if any(m.name == METRIC for m in ROWS[name].metrics)]
    systems = list(dict.fromkeys(system for name in rows for system in run.rows[name]))
    picture = Picture(figsize=(9, 1.2 + 0.14 * len(rows) * max(1, len(systems))))
    axes = picture.subplots()
    for place, system in enumerate(systems):
        _bars(axes, run, rows, system, place, HEIGHT / len(systems))
    axes.set_yticks(range(len(rows)), [ROWS[name].title for name in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("CPU µs a message, of all processes (less is better)")
    axes.set_title(run.heading(), fontsize=7)
    axes.legend(fontsize=7)
    picture.tight_layout()
    path = FOLDER / f"{run.date[:16].replace(':', '')}-{run.machine['cores']}-cores.svg"
    # Text stays text, which is a third of the size.
    with mpl.rc_context({"svg.fonttype": "none"}):
        picture.savefig(path, metadata={"Date": None})
    return path


def _bars(axes: Axes, run: Run, rows: list[str], system: str, place: int, height: float) -> None:
    values = [
        Figure.of([sample.figures[METRIC] for sample in run.rows[name].get(system, [])])
        for name in rows
    ]
    found = [(at, value) for at, value in enumerate(values) if value is not None]
    axes.barh(
        [at + place * height - HEIGHT / 2 for at, _ in found],
        [value.median for _, value in found],
        height,
        xerr=[
            [value.median - value.least for _, value in found],
            [value.most - value.median for _, value in found],
        ],
        label=system,
        error_kw={"linewidth": 0.7},
    )
