"""A TCP port that leads to whichever of several services takes connections, as a proxy does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Forwarder:
    """Takes TCP connections for `targets()`, the addresses of services, in turn."""

    def __init__(self, targets: Callable[[], list[str]]) -> None:
        self._targets = targets
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Forwarder]:
        """Listen for the time of a `with` block."""
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError):
                there = await self._open()
                await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        targets = self._targets()
        for _ in targets:
            self._turn += 1
            where = urlsplit(targets[self._turn % len(targets)])
            with suppress(OSError):
                return await asyncio.open_connection(where.hostname, where.port)
        raise ConnectionRefusedError("no service takes connections")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until one side ends; the other end then."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
