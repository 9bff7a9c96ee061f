"""`LocalBridge`: the router runs in this process; the same frames, no gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from maim_protocol.bridge import AT_ONCE, SENT, EdgeFrame, EdgeStream, RouterFrame, RouterStream
from maim_protocol.errors import AttachRefused, RouterUnavailable

# Frames that wait between the two sides; a full queue makes the writer wait.
QUEUE_FRAMES = 16

Serve = Callable[[EdgeStream], Awaitable[None]]


class LocalBridge:
    """Connects an edge to `serve`, the router's function for one attachment."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._closed = False

    async def connect(self) -> RouterStream:
        """Start an attachment in a task of its own."""
        if self._closed:
            raise RouterUnavailable("the router in this process has stopped")
        return _LocalStream(self._serve)

    async def close(self) -> None:
        """Make no more streams."""
        self._closed = True


class _Queues:
    """Both directions; `None` ends one."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[EdgeFrame | None] = asyncio.Queue(QUEUE_FRAMES)
        self.down: asyncio.Queue[RouterFrame | None] = asyncio.Queue(QUEUE_FRAMES)


class _RouterSide:
    """The `EdgeStream` that the router reads."""

    pace = AT_ONCE

    def __init__(self, queues: _Queues) -> None:
        self._queues = queues

    async def read(self) -> EdgeFrame | None:
        return await self._queues.up.get()

    def write(self, frame: RouterFrame) -> Awaitable[None]:
        if self._queues.down.full():
            return self._queues.down.put(frame)
        self._queues.down.put_nowait(frame)
        return SENT


class _LocalStream:
    """The `RouterStream` that the edge reads; owns the router's task."""

    pace = AT_ONCE

    def __init__(self, serve: Serve) -> None:
        self._queues = _Queues()
        self._task = asyncio.ensure_future(serve(_RouterSide(self._queues)))
        self._task.add_done_callback(self._on_end)

    async def read(self) -> RouterFrame | None:
        down = self._queues.down
        frame = None if down.empty() and self._task.done() else await down.get()
        if frame is None:
            self._raise_why()
        return frame

    def write(self, frame: EdgeFrame) -> Awaitable[None]:
        if self._task.done():
            raise ConnectionError("the router has ended the stream")
        if self._queues.up.full():
            return self._put(frame)
        self._queues.up.put_nowait(frame)
        return SENT

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _put(self, frame: EdgeFrame) -> None:
        putting = asyncio.ensure_future(self._queues.up.put(frame))
        await asyncio.wait([putting, self._task], return_when=asyncio.FIRST_COMPLETED)
        if not putting.done():
            putting.cancel()
            raise ConnectionError("the router has ended the stream")

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if not self._queues.down.full():  # else the reader looks at the task when it has all
            self._queues.down.put_nowait(None)

    def _raise_why(self) -> None:
        error = None if self._task.cancelled() else self._task.exception()
        if isinstance(error, AttachRefused):
            raise error
        if error is not None:
            raise ConnectionError(f"the router ended the stream: {error!r}") from error
