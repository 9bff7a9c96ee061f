"""`make soak`: most of what the pair can do for minutes; whether its memory stays flat."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from statistics import linear_regression

from benchmarks.measuring import Options, measure
from benchmarks.systems import SYSTEMS, System
from maim_bench.generator import Generator
from maim_bench.plan import Plan

PROBE = Options(seconds=5.0)
SAMPLE_SECONDS = 5.0
# Caches and windows fill in the first part of a run.
WARM_UP_SHARE = 1 / 3
# What a program may grow by, of its memory at the end of the warm-up, and still be flat.
FLAT_SHARE = 0.02
MEGABYTE = 1 << 20


def slope_mb_a_minute(samples: Sequence[tuple[float, int]]) -> float:
    """Tell how fast memory grows, of moments in seconds and bytes."""
    if len(samples) < 2:
        return 0.0
    times, sizes = zip(*samples, strict=True)
    return linear_regression(times, sizes).slope * 60 / MEGABYTE


def is_flat(samples: Sequence[tuple[float, int]]) -> bool:
    """Tell whether the line through the samples rises by no more than is noise."""
    minutes = (samples[-1][0] - samples[0][0]) / 60
    return slope_mb_a_minute(samples) * minutes * MEGABYTE <= FLAT_SHARE * samples[0][1]


async def soak(name: str, minutes: float, rate: float, share: float) -> int:
    """Run; returns the exit code: 1 when memory grew or messages were lost."""
    async with SYSTEMS[name]("relay") as system:
        if not rate:
            plan = Plan(urls=(system.url,), in_flight=16, **system.load)
            most = (await measure(system, plan, PROBE)).notes["per_second"]
            rate = most * share
            print(f"routed16 reaches {most:,.0f} a second; {share:.0%} of it is {rate:,.0f}")
        plan = Plan(urls=(system.url,), rate=rate, **system.load)
        async with Generator(plan) as generator:
            await generator.go()
            memory = await _watch(system, generator, minutes * 60)
            report = await generator.finish()
    for line in report.lines():
        print(line)
    flat = [_judge(name, samples) for name, samples in memory.items()]
    return 0 if all(flat) and not report.faults else 1


async def _watch(
    system: System, generator: Generator, seconds: float
) -> dict[str, list[tuple[float, int]]]:
    began = time.monotonic()
    memory: dict[str, list[tuple[float, int]]] = {name: [] for name in system.programs}
    while (now := time.monotonic() - began) < seconds:
        for name, program in system.programs.items():
            memory[name].append((now, program.rss_bytes()))
        sizes = ", ".join(f"{name} {s[-1][1] / MEGABYTE:.1f} MB" for name, s in memory.items())
        print(f"[{now:4.0f} of {seconds:.0f} s] {sizes}", file=sys.stderr, flush=True)
        await asyncio.sleep(min(SAMPLE_SECONDS, seconds - now))
    return memory


def _judge(name: str, samples: list[tuple[float, int]]) -> bool:
    warm = samples[int(len(samples) * WARM_UP_SHARE) :]
    flat = is_flat(warm)
    slope = slope_mb_a_minute(warm)
    first, last = warm[0][1] / MEGABYTE, warm[-1][1] / MEGABYTE
    verdict = "flat" if flat else "NOT FLAT"
    print(f"{name}: {verdict}, {first:.1f} to {last:.1f} MB, {slope:+.2f} MB a minute")
    return flat


def main(argv: Sequence[str]) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second")
    parser.add_argument("--share", type=float, default=0.7, help="else so much of routed16's (0.7)")
    parser.add_argument("--system", default="pair", choices=sorted(SYSTEMS))
    given = parser.parse_args(argv)
    return asyncio.run(soak(given.system, given.minutes, given.rate, given.share))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
