"""Runs the systems of a row alternately, so that a slow minute of the machine hits them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.measuring import Options
from benchmarks.process import ProgramFailed
from benchmarks.rows import Row
from benchmarks.sample import Sample
from maim_protocol.errors import MaimError

# By system; what failed has no samples.
Samples = dict[str, list[Sample]]


async def run_row(
    row: Row, systems: Sequence[str], options: Options, say: Callable[[str], None]
) -> Samples:
    """Measure A B A B …; a system that fails is named and left out of the rest of the row."""
    samples: Samples = {name: [] for name in systems}
    failed: set[str] = set()
    rounds = min(options.rounds, row.most_rounds)
    for number in range(1, rounds + 1):
        for name in systems:
            if name in failed:
                continue
            say(f"{row.name}: {name}, round {number} of {rounds}")
            try:
                samples[name].append(await row.run(name, options))
            except (ProgramFailed, MaimError, TimeoutError) as error:
                failed.add(name)
                say(f"{row.name}: {name} FAILED: {type(error).__name__}: {error}")
    return samples
