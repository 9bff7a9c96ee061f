"""One system under one load: warm-up, a measured window, and what was lost at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.process import Program
from benchmarks.sample import Sample
from benchmarks.systems import System
from maim_bench.generator import Generator
from maim_bench.plan import Plan
from maim_bench.report import Report

WARM_UP_SECONDS = 1.0
MOST_WARM_UP_SECONDS = 30.0
DRAIN_SECONDS = 5.0
HANDLER_SECONDS = 120.0
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Options:
    """How thoroughly to measure: seconds of a window, rounds of a row."""

    seconds: float = 2.5
    rounds: int = 3


class Meter:
    """CPU seconds of programs, from now on."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs
        self._began = time.monotonic()
        self._before = self._now()

    def spent(self) -> dict[str, float]:
        """Seconds that each has used."""
        return {name: cpu - self._before[name] for name, cpu in self._now().items()}

    def seconds(self) -> float:
        """Seconds that have passed."""
        return time.monotonic() - self._began

    def _now(self) -> dict[str, float]:
        return {name: program.cpu_seconds() for name, program in self._programs.items()}


async def measure(
    system: System, plan: Plan, options: Options, *, workers: int = 1, warm_up_messages: int = 0
) -> Sample:
    """Run a plan against a system and tell what a message cost."""
    async with Generator(plan, workers) as generator:
        await generator.go()
        warming = await _warm_up(generator, warm_up_messages)
        meter = Meter(system.programs)
        await asyncio.sleep(options.seconds)
        spent = meter.spent()
        report = await generator.window()
        report.blame(warming, await generator.finish(DRAIN_SECONDS))
    return sample(report, spent, report.completed)


async def _warm_up(generator: Generator, messages: int) -> Report:
    """Wait for a second, and longer until so many messages were completed."""
    await asyncio.sleep(WARM_UP_SECONDS)
    warming = await generator.window()
    for _ in range(round(MOST_WARM_UP_SECONDS / WARM_UP_SECONDS)):
        if warming.completed >= messages:
            break
        await asyncio.sleep(WARM_UP_SECONDS)
        warming.add(await generator.window())
    return warming


async def measure_handler(system: System, plan: Plan, options: Options) -> Sample:
    """Measure from the first message until the handler has had the last.

    The peer acknowledges before it handles, so that its queue grows while clients send: only the
    whole of it is comparable.
    """
    async with Generator(plan) as generator:
        meter = Meter(system.programs)
        await generator.go()
        await asyncio.sleep(options.seconds)
        report = await generator.finish(DRAIN_SECONDS)
        handled = await _all_handled(system, report.sent)
        return sample(report, meter.spent(), handled)


async def _all_handled(system: System, sent: int) -> int:
    if (handled := await system.handled()) is None:
        return sent
    async with asyncio.timeout(HANDLER_SECONDS):
        while handled < sent:
            await asyncio.sleep(LOOK_SECONDS)
            handled = await system.handled() or 0
    return handled


def sample(report: Report, spent: Mapping[str, float], messages: int) -> Sample:
    """Put figures together; `us` is the cost of a message over all programs."""
    divisor = max(1, messages)
    parts = {f"us_{name}": cpu / divisor * 1e6 for name, cpu in spent.items()}
    latency = report.histogram.summary_ms()
    figures = {"us": sum(parts.values()), "p50_ms": latency["p50"], "p99_ms": latency["p99"]}
    notes = parts | {
        "per_second": messages / report.seconds if report.seconds else 0.0,
        "max_ms": latency["max"],
        "generator_us": report.generator_us,
        "generator_core": report.generator_core,
    }
    return Sample(figures, notes, report.faults)
