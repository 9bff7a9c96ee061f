"""Runs the application's handlers: started in order, bounded in number, isolated."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from maim_router.hooks import call

log = logging.getLogger(__name__)

Order = Literal["concurrent", "sequential"]


class Job(Struct, frozen=True, gc=False):
    """One call of a handler.

    `kind` and `id` name it in the log. `ordering_key` is the sender (one job of it runs at a time
    when the order is sequential); `done` is told whether the handler returned. A job without
    `done` is a notification.
    """

    kind: str
    id: str
    ordering_key: Hashable
    callback: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    started: Callable[[], None] | None = None
    done: Callable[[bool], None] | None = None

    @property
    def name(self) -> str:
        """What the job is called in the log."""
        return f"{self.kind} {self.id}"


class HandlerRunner:
    """Starts jobs in order of arrival, at most `limit` at once; the others wait their turn.

    What waits is bounded by what the edges keep for their clients until it is settled.
    """

    def __init__(self, limit: int = 1000, order: Order = "concurrent") -> None:
        self._limit = limit
        self._sequential = order == "sequential"
        self._waiting: deque[Job] = deque()
        self._queues: dict[Hashable, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._excused: set[asyncio.Task[Any] | None] = set()
        # Set when there may be fewer tasks to wait for, for who waits for their end.
        self._fewer = asyncio.Event()
        self._advancing = False
        self._stopping = False
        self.active = 0
        self.errors = 0

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return len(self._waiting) + sum(len(ordering_key) for ordering_key in self._queues.values())

    def submit(self, job: Job) -> None:
        """Start a job, or let it wait for its turn."""
        if self._stopping and job.done is not None:
            return
        if self._sequential:
            ordering_key = self._queues.get(job.ordering_key)
            if ordering_key is not None:
                ordering_key.append(job)
                return
            self._queues[job.ordering_key] = deque()
        if self.active < self._limit and not self._waiting:
            self._start(job)
        else:
            self._waiting.append(job)

    @contextlib.contextmanager
    def excused(self, task: asyncio.Task[Any] | None) -> Iterator[None]:
        """Neither wait for this task nor cancel it meanwhile, should it run a job.

        For a callback that waits for the end of these handlers: each would wait for the other.
        """
        self._excused.add(task)
        self._fewer.set()
        try:
            yield
        finally:
            self._excused.discard(task)

    async def finish(self, timeout: float) -> None:
        """Start no message any more and let what runs finish for `timeout` seconds.

        Messages that wait are dropped without an answer: their edge keeps them. Notifications
        go on.
        """
        self._stopping = True
        left = [
            *self._waiting,
            *(job for ordering_key in self._queues.values() for job in ordering_key),
        ]
        self._waiting = deque(job for job in left if job.done is None)
        self._queues.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._none_left()

    async def stop(self, timeout: float) -> None:
        """Finish for `timeout` seconds, then drop what waits and cancel what still runs."""
        await self.finish(timeout)
        self._waiting.clear()
        self._queues.clear()
        for task in self._left():
            task.add_done_callback(lambda _: self._fewer.set())
            task.cancel()
        await self._none_left()
        # Those that were cancelled before their first step have not counted themselves out.
        unbegun = {task for task in self._tasks if task.done()}
        self.active -= len(unbegun)
        self._tasks -= unbegun

    def _left(self) -> Sequence[asyncio.Task[None]]:
        return [t for t in self._tasks if not t.done() and t not in self._excused]

    async def _none_left(self) -> None:
        while self._left():
            self._fewer.clear()
            await self._fewer.wait()

    def _start(self, job: Job) -> None:
        if job.started is not None:
            job.started()
        self.active += 1
        task = _begin(self._run(job))
        if not task.done():
            self._tasks.add(task)
            task.set_name(job.name)

    async def _run(self, job: Job) -> None:
        try:
            returned = await self._redelivery(job)
            # Not reached when cancelled: a message whose handler was cut off is not answered.
            if job.done is not None:
                job.done(returned)
        finally:
            self._finished(job)

    async def _redelivery(self, job: Job) -> bool:
        try:
            await call(job.callback, *job.arguments)
        except Exception:
            self.errors += 1
            log.exception("handler raised: %s", job.name)
            return False
        return True

    def _finished(self, job: Job) -> None:
        self.active -= 1
        if task := asyncio.current_task():
            self._tasks.discard(task)
        if self._stopping:
            self._fewer.set()
        if self._sequential:
            ordering_key = self._queues.get(job.ordering_key)
            if ordering_key:
                self._waiting.append(ordering_key.popleft())
            elif ordering_key is not None:
                del self._queues[job.ordering_key]
        if self._waiting and not self._advancing:
            self._advance()

    def _advance(self) -> None:
        """Start what waits; a job that ends at once comes back here, and must not dig deeper."""
        self._advancing = True
        try:
            while self._waiting and self.active < self._limit:
                self._start(self._waiting.popleft())
        finally:
            self._advancing = False


if sys.version_info >= (3, 12):

    def _begin(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine until it first waits; the loop sees only one that does."""
        return asyncio.Task(coroutine, loop=asyncio.get_running_loop(), eager_start=True)

else:

    def _begin(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Make a task of a coroutine; stepping it here would hide its task from it."""
        return asyncio.get_running_loop().create_task(coroutine)
