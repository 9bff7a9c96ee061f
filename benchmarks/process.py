"""A program under test: started, waited for, watched from outside (CPU, memory, descriptors)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import tempfile
from pathlib import Path
from typing import Any, Self

import psutil

ROOT = Path(__file__).parent.parent
READY_SECONDS = 60.0
END_SECONDS = 15.0
LONGEST_LINE_BYTES = 1 << 20


class ProgramFailed(Exception):
    """A program of a benchmark did not do what was asked; the text says which and why."""


class Program:
    """One process and whatever it starts; of what it logs the last line is told when it fails."""

    def __init__(
        self, name: str, *argv: str | Path, environment: dict[str, str] | None = None
    ) -> None:
        self.name = name
        self._argv = [str(word) for word in argv]
        # The caller's MAIM_* settings go along, so that any of them can be compared.
        self._environment = os.environ | (environment or {})
        self._process: asyncio.subprocess.Process | None = None
        self._log = tempfile.TemporaryFile()

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv,
            env=self._environment,
            cwd=ROOT,
            limit=LONGEST_LINE_BYTES,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if self._answers else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL if self._answers else self._log,
        )
        return self

    _answers = False

    async def __aexit__(self, *_: object) -> None:
        running = self.running
        self._log.close()
        try:
            children = self._family()[1:]
        except ProgramFailed:
            return
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(running.wait(), END_SECONDS)
            except TimeoutError:
                running.kill()
                await running.wait()
        for child in children:
            if child.is_running():
                child.kill()

    @property
    def running(self) -> asyncio.subprocess.Process:
        """The process, which has been started."""
        if self._process is None:
            raise ProgramFailed(f"{self.name} was not started")
        return self._process

    def check(self) -> None:
        """Raise `ProgramFailed` when it has ended."""
        if self.running.returncode is not None:
            self._log.seek(0)
            lines = self._log.read().decode(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "")
            raise ProgramFailed(f"{self.name} ended with code {self.running.returncode}: {last}")

    def cpu_seconds(self) -> float:
        """User and system time of all threads, and of child processes."""
        total = 0.0
        for process in self._family():
            times = process.cpu_times()
            total += times.user + times.system
        return total

    def rss_bytes(self) -> int:
        """Resident memory, child processes included."""
        return sum(process.memory_info().rss for process in self._family())

    def descriptors(self) -> int:
        """Open files and sockets."""
        return sum(process.num_fds() for process in self._family())

    def _family(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self.running.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            raise ProgramFailed(f"{self.name} has ended") from None


class AnsweringProgram(Program):
    """A program that says when it is ready, then answers each line on stdin with one of JSON."""

    _answers = True

    async def __aenter__(self) -> Self:
        self._reading = asyncio.Lock()
        await super().__aenter__()
        await self.answer()
        return self

    async def ask(self, line: str) -> dict[str, Any]:
        """Write a line and wait for the answer."""
        if self.running.stdin is not None:
            self.running.stdin.write(line.encode() + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Wait for the next line."""
        assert self.running.stdout is not None  # noqa: S101 - opened with a pipe above
        async with asyncio.timeout(READY_SECONDS), self._reading:
            line = await self.running.stdout.readline()
        if not line:
            raise ProgramFailed(f"{self.name} ended with code {await self.running.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def answers(port: int, program: Program) -> None:
    """Wait until a port takes connections."""
    async with asyncio.timeout(READY_SECONDS):
        while True:
            program.check()
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return


async def says_ready(admin_port: int, program: Program) -> None:
    """Wait until `/readyz` says so."""
    async with asyncio.timeout(READY_SECONDS):
        while not await _ready(admin_port):
            program.check()
            await asyncio.sleep(0.05)


async def _ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    status = await reader.readline()
    writer.close()
    return b" 200 " in status
