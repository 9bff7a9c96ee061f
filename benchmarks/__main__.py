"""`make bench`: measures rows of the table, prints it, and writes what was measured."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks import results, table
from benchmarks.environments import PEER
from benchmarks.measuring import Options
from benchmarks.process import ProgramFailed
from benchmarks.rounds import Samples, run_row
from benchmarks.rows import ROWS, Row


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows (all but the long ones)")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of a row (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="seconds of a window (3)")
    parser.add_argument("--systems", default="", help="comma list: peer,silenced,pair,local")
    parser.add_argument("--no-files", action="store_true", help="write no results and no plot")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run; returns the exit code."""
    given = parse(argv)
    if given.list:
        for row in ROWS.values():
            print(f"{row.name:12} {row.title}{' (on demand)' if row.on_demand else ''}")
        return 0
    unknown = [name for name in given.rows if name not in ROWS]
    if unknown:
        print(f"make bench: no row {unknown[0]!r}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    rows = [ROWS[name] for name in given.rows] or [r for r in ROWS.values() if not r.on_demand]
    try:
        return _run(rows, given, Options(given.seconds, given.rounds))
    except ProgramFailed as error:
        print(f"make bench: {error}", file=sys.stderr)
        return 1


def _run(rows: Sequence[Row], given: argparse.Namespace, options: Options) -> int:
    wanted = [name for name in given.systems.split(",") if name]
    if any(_systems(row, wanted)[0] == "peer" for row in rows if _systems(row, wanted)):
        PEER.make()
    measured = asyncio.run(_measure(rows, wanted, options))
    print(_heading(options))
    print(table.table(measured))
    print(table.generator_line(measured))
    for line in table.faults(measured):
        print(line)
    if not given.no_files:
        print(f"Written to {os.path.relpath(results.write(measured, options, datetime.now(UTC)))}")
    return 0


async def _measure(
    rows: Sequence[Row], wanted: Sequence[str], options: Options
) -> dict[str, Samples]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", file=sys.stderr, flush=True)

    measured: dict[str, Samples] = {}
    for row in rows:
        measured[row.name] = await run_row(row, _systems(row, wanted), options, say)
        for line in table.table({row.name: measured[row.name]}).splitlines()[2:]:
            say(line)
    return measured


def _systems(row: Row, wanted: Sequence[str]) -> list[str]:
    return [name for name in row.systems if not wanted or name in wanted]


def _heading(options: Options) -> str:
    machine = results.machine()
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    how = f"Python {machine['python']}, {options.rounds} rounds of {options.seconds:g} s"
    return f"\n{datetime.now(UTC):%Y-%m-%d}, {place}, {how}; median (least to most)\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
