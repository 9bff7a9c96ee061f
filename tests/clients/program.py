"""A program in a process of its own: its lines are waited for, and it is gone afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

PATIENCE_SECONDS = 30.0
LONGEST_LINE_BYTES = 16 << 20


class Program:
    """Runs a program as an async context manager; what it writes is kept line by line."""

    def __init__(
        self, *argv: str | Path, environment: dict[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        self.out: list[str] = []
        self.err: list[str] = []
        self._argv = [str(word) for word in argv]
        outside = {name: v for name, v in os.environ.items() if not name.startswith("MAIM_")}
        self._environment = outside | (environment or {})
        self._cwd = cwd
        self._wrote = asyncio.Event()
        self._readers: list[asyncio.Task[None]] = []
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            env=self._environment,
            cwd=self._cwd,
            limit=LONGEST_LINE_BYTES,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout, self.out)),
            asyncio.create_task(self._read(self._process.stderr, self.err)),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.running.returncode is None:
            self.running.kill()
        await asyncio.gather(*self._readers)
        await self.running.wait()

    @property
    def running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def frames(self) -> list[Any]:
        """What it wrote on stdout, one JSON value a line."""
        return [json.loads(line) for line in self.out]

    def tell(self, **command: Any) -> None:
        """Write one JSON object to its stdin."""
        assert self.running.stdin is not None
        self.running.stdin.write(json.dumps(command).encode() + b"\n")

    def signal(self, number: signal.Signals) -> None:
        self.running.send_signal(number)

    async def line(self, part: str) -> str:
        """Wait until it has written a line that holds `part`."""
        return await self.found(lambda: next((x for x in self.out + self.err if part in x), None))

    async def found(self, look: Callable[[], Any]) -> Any:
        """Wait until `look`, asked after every line, finds something."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (result := look()):
                    assert not self._ended(), f"it ended: {self}"
                    self._wrote.clear()
                    await self._wrote.wait()
                return result
        except TimeoutError:
            raise AssertionError(f"not in time: {self}") from None

    async def ended(self) -> int:
        """Wait for its end and return its exit code."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*self._readers)
                return await self.running.wait()
        except TimeoutError:
            raise AssertionError(f"still running: {self}") from None

    def __repr__(self) -> str:
        wrote = "\n".join(["stdout:", *self.out, "stderr:", *self.err])
        return f"{' '.join(self._argv)}\n{wrote}"

    def _ended(self) -> bool:
        return all(reader.done() for reader in self._readers)

    async def _read(self, stream: asyncio.StreamReader, lines: list[str]) -> None:
        try:
            async for line in stream:
                lines.append(line.decode().rstrip("\n"))
                self._wrote.set()
        finally:
            self._wrote.set()
