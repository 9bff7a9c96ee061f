"""A TCP proxy that spoils a link: delays, limits, cuts, resets, swallows, refuses, and heals.

What it is told holds for every connection through it, for later ones too, until `heal`.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

CHUNK_BYTES = 1 << 16
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class LinkConditions:
    """What a link does to the bytes that cross it; `fine` is set while it swallows nothing."""

    delay_seconds: float = 0.0
    bytes_a_second: float = math.inf
    refuses: bool = False
    fine: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.fine.set()

    def seconds(self, size: int) -> float:
        """How long a piece of this size is under way."""
        return self.delay_seconds + size / self.bytes_a_second


@dataclass(slots=True)
class End:
    """One socket of a crossing."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reset(self) -> None:
        """Close with a RST, whatever waits to be written."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.writer.transport.abort()

    def close(self) -> None:
        """Close with a FIN."""
        self.writer.close()


class Crossing:
    """One connection through the proxy."""

    def __init__(self, conditions: LinkConditions, near: End, far: End) -> None:
        self._conditions = conditions
        self._near = near
        self._far = far
        self.spoiled = False

    async def carry(self) -> None:
        """Carry both ways until both have ended; a link that swallowed keeps its ends open."""
        near, far = self._near, self._far
        try:
            await asyncio.gather(self._carry(near, far), self._carry(far, near))
            await self._conditions.fine.wait()
            if not self.spoiled:
                self.close()
        except OSError:
            await self._conditions.fine.wait()
        finally:
            self.reset()

    def close(self) -> None:
        """End it with a FIN both ways."""
        self._near.close()
        self._far.close()

    def reset(self) -> None:
        """End it with a RST both ways; nothing to one that has ended."""
        self._near.reset()
        self._far.reset()

    async def _carry(self, source: End, target: End) -> None:
        conditions = self._conditions
        while data := await source.reader.read(CHUNK_BYTES):
            if seconds := conditions.seconds(len(data)):
                await asyncio.sleep(seconds)  # the delay is what the link is there for
            if conditions.fine.is_set():
                target.writer.write(data)
                await target.writer.drain()
            else:
                self.spoiled = True
        if conditions.fine.is_set():
            target.writer.write_eof()
        else:
            self.spoiled = True


class Proxy:
    """Listens on `port` of 127.0.0.1 and carries to `upstream`, a port there too."""

    def __init__(self, upstream: int) -> None:
        self.port = 0
        self._upstream = upstream
        self._conditions = LinkConditions()
        self._crossings: set[Crossing] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and reset what is left."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports end in the next turn

    def delay(self, seconds: float) -> None:
        """Let every piece take this much longer."""
        self._conditions.delay_seconds = seconds

    def limit(self, bytes_a_second: float) -> None:
        """Let no more than this through, each way."""
        self._conditions.bytes_a_second = bytes_a_second

    def cut(self) -> None:
        """Close what is connected with a FIN; new connections pass."""
        for crossing in list(self._crossings):
            crossing.close()

    def reset(self) -> None:
        """Close what is connected with a RST; new connections pass."""
        for crossing in list(self._crossings):
            crossing.reset()

    def refuse(self) -> None:
        """Reset what is connected and whatever comes."""
        self._conditions.refuses = True
        self.reset()

    def swallow(self) -> None:
        """Let every connection be half-open: nothing passes, not even its end."""
        self._conditions.fine.clear()

    def heal(self) -> None:
        """Be a good link again; what has lost bytes meanwhile is reset."""
        conditions = self._conditions
        conditions.delay_seconds, conditions.bytes_a_second, conditions.refuses = (
            0.0,
            math.inf,
            False,
        )
        conditions.fine.set()
        for crossing in [crossing for crossing in self._crossings if crossing.spoiled]:
            crossing.reset()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        near = End(reader, writer)
        try:
            await self._cross(near)
        except (OSError, asyncio.CancelledError):
            return  # `stop` asked for it, or the upstream is away: the reset says so
        finally:
            near.reset()
            self._tasks.discard(task)

    async def _cross(self, near: End) -> None:
        await self._conditions.fine.wait()  # accepted by the kernel, heard by nobody
        if self._conditions.refuses:
            return
        far = End(*await asyncio.open_connection("127.0.0.1", self._upstream))
        crossing = Crossing(self._conditions, near, far)
        self._crossings.add(crossing)
        try:
            await crossing.carry()
        finally:
            self._crossings.discard(crossing)


@contextlib.asynccontextmanager
async def through(upstream: int) -> AsyncIterator[Proxy]:
    """Run a proxy to this port."""
    proxy = Proxy(upstream)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
