"""The writing side of a bridge stream: sends whatever has gathered, as soon as it may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Generic, Protocol, TypeVar

from maim_protocol.bridge import SENT, Pace

# Over how long the rate is taken.
WINDOW_SECONDS = 0.008

F_co = TypeVar("F_co", covariant=True)
F_contra = TypeVar("F_contra", contravariant=True)
F = TypeVar("F")


class Source(Protocol[F_co]):
    """Where frames come from."""

    def gather(self) -> F_co | None:
        """Take what fits into one frame; None when there is nothing."""

    def has_more(self) -> bool:
        """Whether `gather` would give a frame."""


class Wire(Protocol[F_contra]):
    """Where frames go."""

    @property
    def pace(self) -> Pace:
        """How long to gather between two writes."""

    def write(self, frame: F_contra) -> Awaitable[None]:
        """Send a frame, as `EdgeStream.write` does."""


class WritePacer:
    """Follows the rate at which things come, and says when to write again.

    Times are those of a monotonic clock, in seconds.
    """

    def __init__(self, pace: Pace) -> None:
        self.came = 0
        self._pace = pace
        self._since = 0.0
        self._wait = 0.0 if pace.above else pace.seconds

    def next_write(self, now: float) -> float:
        """Note a write; returns when the next one is due."""
        window = now - self._since
        if window > WINDOW_SECONDS:
            self._wait = self._pace.seconds if self.came >= self._pace.above * window else 0.0
            self._since = now
            self.came = 0
        return now + self._wait


class Pump(Generic[F]):
    """Writes frames of `source` to `wire`, one at a time, while `run` runs.

    A lone frame leaves at once; after a write the next waits for the pace of the wire, so that
    frames fill under load. Nothing but a full wire makes a task wake up.
    """

    def __init__(self, source: Source[F], wire: Wire[F]) -> None:
        self._source = source
        self._wire = wire
        self._pacer = WritePacer(wire.pace)
        self._due = 0.0
        self._next: asyncio.Handle | None = None
        self._later: asyncio.Handle | None = None
        # Set while it runs.
        self._loop: asyncio.AbstractEventLoop | None = None
        # What `run` has to see to: a write that takes a while, or an error.
        self._slow: asyncio.Future[Awaitable[None]]
        self._idle = asyncio.Event()
        self._idle.set()

    def wake(self) -> None:
        """Say that there is something to gather."""
        self._pacer.came += 1
        self._idle.clear()
        if self._loop is not None and self._next is None:
            self._schedule(self._loop)

    def wake_within(self, seconds: float) -> None:
        """Say that there is something to gather that may wait for company so long."""
        if self._loop is not None and self._later is None:
            self._later = self._loop.call_later(seconds, self._wake_later)

    async def idle(self) -> None:
        """Wait until everything that there was to gather is written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send until cancelled or until a write fails; once."""
        loop = self._loop = asyncio.get_running_loop()
        self._schedule(loop)
        try:
            while True:
                self._slow = loop.create_future()
                await (await self._slow)
                self._after_write(loop)
        finally:
            self._stop()

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop.time() < self._due:
            self._next = loop.call_at(self._due, self._write, loop)
        else:
            self._next = loop.call_soon(self._write, loop)

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._slow.done():
            return  # `run` was cancelled and has not had its turn yet
        try:
            frame = self._source.gather()
            waiting = SENT if frame is None else self._wire.write(frame)
            if waiting is SENT:
                self._after_write(loop)
            else:
                self._slow.set_result(waiting)
        except Exception as error:  # `run` raises it
            self._slow.set_exception(error)

    def _after_write(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = self._pacer.next_write(loop.time())
        if self._source.has_more():
            self._schedule(loop)
        else:
            self._next = None
            self._idle.set()

    def _wake_later(self) -> None:
        self._later = None
        self.wake()

    def _stop(self) -> None:
        self._loop = None
        for handle in (self._next, self._later):
            if handle is not None:
                handle.cancel()
        if self._slow.done() and not self._slow.cancelled():
            self._slow.exception()  # seen, though a cancellation came first
