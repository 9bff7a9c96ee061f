"""The load generator: as many worker processes as wanted, told what to do at the same time."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Self

import msgspec

from maim_bench.clients import Opened
from maim_bench.plan import Plan
from maim_bench.report import Report, report_of, summed
from maim_protocol.errors import ConfigError, MaimError

ANSWER_SECONDS = 30.0
OPEN_SECONDS = 300.0
LONGEST_LINE_BYTES = 16 << 20
FIRST_LOOPBACK = 2


class GeneratorFailed(MaimError):
    """The generator could not do its work; the text is one line."""


def shares(plan: Plan, workers: int) -> list[Plan]:
    """Divide a plan's connections and rate over processes."""
    each, more = divmod(plan.connections, workers)
    counts = [each + (number < more) for number in range(workers)]
    if min(counts) == 0:
        raise ConfigError(f"{plan.connections} connections are too few for {workers} processes")
    firsts = [plan.first + sum(counts[:number]) for number in range(workers)]
    return [
        msgspec.structs.replace(
            plan,
            connections=counts[number],
            first=firsts[number],
            worker=number,
            rate=plan.rate / workers,
            seed=plan.seed + number,
            slow=plan.slow if number == 0 else 0,
        )
        for number in range(workers)
    ]


class Generator:
    """An async context manager: connections are open inside, everything is gone afterwards."""

    def __init__(self, plan: Plan, workers: int = 1) -> None:
        self.plan = plan
        self.opened = Opened(0, 0, 0.0, [])
        self.opening_cpu_seconds = 0.0
        self._plans = shares(plan, workers)
        self._processes: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    @property
    def pids(self) -> list[int]:
        """The worker processes."""
        return [process.pid for process in self._processes]

    async def go(self) -> None:
        """Send from now on."""
        await self._ask("go")

    async def window(self) -> Report:
        """Tell of the time since the last window, and begin a new one."""
        return summed([report_of(answer) for answer in await self._ask("window")])

    async def reach(self, delivered: int, patience: float = 10.0) -> int:
        """Wait until each worker's listeners have so many; tells how many they have together."""
        command = f"reach {delivered} {patience}"
        answers = await self._ask(command, patience + ANSWER_SECONDS)
        return sum(int(answer["delivered"]) for answer in answers)

    async def finish(self, patience: float = 5.0) -> Report:
        """Send nothing more, wait for what is on its way, and tell of the last window."""
        answers = await self._ask(f"finish {patience}", patience + ANSWER_SECONDS)
        return summed([report_of(answer) for answer in answers])

    async def _open(self) -> None:
        for plan in self._plans:
            self._processes.append(await _start())
            _write(self._processes[-1], msgspec.json.encode(plan))
        answers = await self._answers(OPEN_SECONDS)
        made, failed = (sum(answer[name] for answer in answers) for name in ("made", "failed"))
        errors = [error for answer in answers for error in answer["errors"]]
        seconds = max(answer["seconds"] for answer in answers)
        self.opened = Opened(made, failed, seconds, errors)
        self.opening_cpu_seconds = sum(answer["cpu_seconds"] for answer in answers)
        if failed:
            text = f"{failed} of {made + failed} connections were not made"
            raise GeneratorFailed(f"{text}, the first error: {errors[0] if errors else 'none'}")

    async def _ask(self, command: str, seconds: float = ANSWER_SECONDS) -> list[dict[str, Any]]:
        for process in self._processes:
            _write(process, command.encode())
        return await self._answers(seconds)

    async def _answers(self, seconds: float) -> list[dict[str, Any]]:
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.gather(*map(_answer, self._processes))
        except TimeoutError:
            raise GeneratorFailed(f"no answer from a worker within {seconds:g} s") from None

    async def _end(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "maim_bench.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE_BYTES,
    )


def _write(process: asyncio.subprocess.Process, line: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(line + b"\n")


async def _answer(process: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise GeneratorFailed(f"a worker ended with code {await process.wait()}")
    answer: dict[str, Any] = msgspec.json.decode(line)
    if "error" in answer:
        raise GeneratorFailed(answer["error"])
    return answer
