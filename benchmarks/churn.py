"""`make churn`: 50,000 connections come and go; whether memory and descriptors come back."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from benchmarks.systems import SYSTEMS, System
from maim_bench.generator import Generator
from maim_bench.plan import Plan

AT_ONCE = 1000
# The first ones fill what is allocated once.
WARM_UP_ROUNDS = 3
SETTLE_SECONDS = 30
MOST_BYTES_EACH = 200
KILOBYTE = 1024


async def churn(name: str, total: int) -> int:
    """Run; returns the exit code: 1 when something stays behind."""
    async with SYSTEMS[name]("relay") as system:
        quiet = await _descriptors(system, {})
        for _ in range(WARM_UP_ROUNDS):
            await _come_and_go(system)
        before = await _descriptors(system, quiet), _memory(system)
        rounds = -(-total // AT_ONCE)
        for number in range(1, rounds + 1):
            await _come_and_go(system)
            done = f"{number * AT_ONCE:,} of {rounds * AT_ONCE:,} came and went"
            print(done, file=sys.stderr, flush=True)
        after = await _descriptors(system, before[0]), _memory(system)
    fine = [_judge(part, before, after, rounds * AT_ONCE) for part in after[0]]
    return 0 if all(fine) else 1


async def _come_and_go(system: System) -> None:
    # They say nothing: what the router remembers of messages is no part of this.
    plan = Plan(urls=(system.url,), work="listen", connections=AT_ONCE, **system.load)
    async with Generator(plan):
        pass


def _memory(system: System) -> dict[str, int]:
    return {name: program.rss_bytes() for name, program in system.programs.items()}


async def _descriptors(system: System, wanted: dict[str, int]) -> dict[str, int]:
    """Count open files once they are as few as wanted, or have not become so in time."""
    found = _open_files(system)
    for _ in range(SETTLE_SECONDS):
        if all(found[name] <= wanted.get(name, found[name]) for name in found):
            break
        await asyncio.sleep(1)
        found = _open_files(system)
    return found


def _open_files(system: System) -> dict[str, int]:
    return {name: program.descriptors() for name, program in system.programs.items()}


def _judge(
    part: str,
    before: tuple[dict[str, int], dict[str, int]],
    after: tuple[dict[str, int], dict[str, int]],
    count: int,
) -> bool:
    files, grown = after[0][part] - before[0][part], after[1][part] - before[1][part]
    fine = files <= 0 and grown / count <= MOST_BYTES_EACH
    verdict = "clean" if fine else "NOT CLEAN"
    now = after[1][part] / KILOBYTE
    memory = f"{now:,.0f} KB ({grown / KILOBYTE:+,.0f}, {grown / count:.0f} bytes each)"
    print(f"{part}: {verdict}, {after[0][part]} descriptors ({files:+}), {memory}")
    return fine


def main(argv: Sequence[str]) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="make churn", description=__doc__)
    parser.add_argument("--connections", type=int, default=50_000, help="how many (50,000)")
    parser.add_argument("--system", default="pair", choices=sorted(SYSTEMS))
    given = parser.parse_args(argv)
    return asyncio.run(churn(given.system, given.connections))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
