"""`make bench`: measures rows of the table, prints it, and writes what was measured."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.environments import PEER
from benchmarks.measuring import Options
from benchmarks.process import ProgramFailed
from benchmarks.report import plot, results, table
from benchmarks.rounds import Samples, run_row
from benchmarks.rows import ROWS, Row
from benchmarks.systems import chosen


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="rows (all but the long ones)")
    parser.add_argument("--list", action="store_true", help="list the rows and end")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of a row (3)")
    parser.add_argument("--seconds", type=float, default=2.5, help="seconds of a window (2.5)")
    parser.add_argument("--systems", default="", help="comma list: peer,silenced,pair,local")
    parser.add_argument("--show", type=Path, help="print the table of a results file, and end")
    parser.add_argument("--keep", action="store_true", help="also write results/latest.*")
    parser.add_argument("--no-files", action="store_true", help="write no results and no plot")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """Run; returns the exit code."""
    given = parse(argv)
    if given.list:
        for row in ROWS.values():
            print(f"{row.name:12} {row.title}{' (on demand)' if row.on_demand else ''}")
        return 0
    if given.show:
        print(table.report(results.read(given.show)))
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
    if {"peer", "silenced"} & {name for row in rows for name in chosen(row.systems, wanted)}:
        PEER.make()
    measured = asyncio.run(_measure(rows, wanted, options))
    run = results.Run.now(measured, options)
    print(f"\n{table.report(run)}")
    if not given.no_files:
        for path in (results.write(run), plot.draw(run)):
            print(f"Written: {os.path.relpath(path)}")
            if given.keep:
                shutil.copy(path, path.with_stem("latest"))
    return 0


async def _measure(
    rows: Sequence[Row], wanted: Sequence[str], options: Options
) -> dict[str, Samples]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", file=sys.stderr, flush=True)

    measured: dict[str, Samples] = {}
    for row in rows:
        measured[row.name] = await run_row(row, chosen(row.systems, wanted), options, say)
        for line in table.table({row.name: measured[row.name]}).splitlines()[2:]:
            say(line)
    return measured


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
