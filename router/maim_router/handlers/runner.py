"""Runs the application's handlers: in the order of each user, users in turn, bounded, isolated."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Hashable, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

from maim_router.fair_queue import FairQueue
from maim_router.hooks import call

log = logging.getLogger(__name__)

Order = Literal["concurrent", "sequential"]

# How long the handlers of a user without connections may go on while others wait for a place.
GONE_SECONDS = 30.0


class Job(Struct, frozen=True, gc=False):
    """One call of a handler.

    `kind` and `id` name it in the log. `ordering_key` is the sender (one job of it runs at a time
    when the order is sequential), `user` who shares places with others; `done` is told whether
    the handler returned. A job without `done` is a notification.
    """

    kind: str
    id: str
    ordering_key: Hashable
    callback: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    started: Callable[[], None] | None = None
    done: Callable[[bool], None] | None = None
    user: str = ""

    @property
    def name(self) -> str:
        """What the job is called in the log."""
        return f"{self.kind} {self.id}"


class HandlerRunner:
    """Starts the jobs of a user in order of arrival, at most `limit` of all at once.

    Users who have to wait are served in turn. `timeout` seconds end a handler that waits for
    longer, 0: none does; `gone_seconds` see GONE_SECONDS. What waits is bounded by what the edges
    keep for their clients until it is settled.
    """

    def __init__(
        self,
        limit: int = 1000,
        order: Order = "concurrent",
        timeout: float = 0,
        gone_seconds: float = GONE_SECONDS,
    ) -> None:
        self._timeout = timeout or None
        self._gone_seconds = gone_seconds
        self._sequential = order == "sequential"
        self._places: FairQueue[str, Job] = FairQueue(limit)
        # Behind a running job of the same ordering key.
        self._queues: dict[Hashable, deque[Job]] = {}
        self._tasks: dict[asyncio.Task[None], Job] = {}
        self._gone: dict[str, asyncio.TimerHandle] = {}
        self._abandoned: set[asyncio.Task[None]] = set()
        self._excused: set[asyncio.Task[Any] | None] = set()
        # Set when there may be fewer tasks to wait for, for who waits for their end.
        self._fewer = asyncio.Event()
        self._advancing = False
        self._stopping = False
        self.errors = 0

    @property
    def active(self) -> int:
        """How many jobs run."""
        return self._places.active

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return len(self._places) + sum(map(len, self._queues.values()))

    def submit(self, job: Job) -> None:
        """Start a job, or let it wait for its turn."""
        if self._stopping and job.done is not None:
            return
        if self._sequential:
            queue = self._queues.get(job.ordering_key)
            if queue is not None:
                queue.append(job)
                return
            self._queues[job.ordering_key] = deque()
        if self._places.enter(job.user):
            self._start(job)
        else:
            self._places.wait(job.user, job)

    def user_came(self, user: str) -> None:
        """Hear that a user has a connection again."""
        timer = self._gone.pop(user, None)
        if timer is not None:
            timer.cancel()

    def user_left(self, user: str) -> None:
        """Hear that a user has no connection left: what still runs is ended when others wait."""
        self.user_came(user)
        if user in self._places and not self._stopping:
            loop = asyncio.get_running_loop()
            self._gone[user] = loop.call_later(self._gone_seconds, self._abandon, user)

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
        for user in list(self._gone):
            self.user_came(user)
        left = [*self._places, *(job for queue in self._queues.values() for job in queue)]
        self._places.clear()
        self._queues.clear()
        for job in left:
            if job.done is None:
                self._places.wait(job.user, job)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._none_left()

    async def stop(self, timeout: float) -> None:
        """Finish for `timeout` seconds, then drop what waits and cancel what still runs."""
        await self.finish(timeout)
        self._places.clear()
        self._queues.clear()
        for task in self._left():
            task.add_done_callback(lambda _: self._fewer.set())
            task.cancel()
        await self._none_left()
        # Those that were cancelled before their first step have not counted themselves out.
        for task in [task for task in self._tasks if task.done()]:
            self._places.leave(self._tasks.pop(task).user)

    def _left(self) -> Sequence[asyncio.Task[None]]:
        return [t for t in self._tasks if not t.done() and t not in self._excused]

    async def _none_left(self) -> None:
        while self._left():
            self._fewer.clear()
            await self._fewer.wait()

    def _start(self, job: Job) -> None:
        if job.started is not None:
            job.started()
        task = _begin(self._run(job))
        if not task.done():
            self._tasks[task] = job
            task.set_name(job.name)

    def _abandon(self, user: str) -> None:
        """End the handlers of a user who is gone if somebody waits for their places."""
        del self._gone[user]
        if not len(self._places):
            self.user_left(user)
            return
        for task, job in self._tasks.items():
            if job.user == user and job.done is not None and task not in self._excused:
                self._abandoned.add(task)
                task.cancel()

    async def _run(self, job: Job) -> None:
        try:
            returned = await self._returns(job)
            # Not reached when cancelled: a message whose handler was cut off is not answered.
            if job.done is not None:
                job.done(returned)
        finally:
            self._finished(job)

    async def _returns(self, job: Job) -> bool:
        try:
            if self._timeout is None:
                await call(job.callback, *job.arguments)
            else:
                await self._returns_in_time(job, self._timeout)
        except Exception:
            self.errors += 1
            log.exception("handler raised: %s", job.name)
            return False
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task not in self._abandoned:
                raise
            task.uncancel()
            self.errors += 1
            log.error("handler ended: its user is gone and others wait: %s", job.name)
            return False
        return True

    async def _returns_in_time(self, job: Job, timeout: float) -> None:
        scope = asyncio.timeout(timeout)
        try:
            async with scope:
                await call(job.callback, *job.arguments)
        except TimeoutError:
            if scope.expired():
                raise TimeoutError(f"not done within {timeout:g} s") from None
            raise

    def _finished(self, job: Job) -> None:
        self._places.leave(job.user)
        if task := asyncio.current_task():
            self._tasks.pop(task, None)
            self._abandoned.discard(task)
        if self._stopping:
            self._fewer.set()
        if self._sequential:
            queue = self._queues.get(job.ordering_key)
            if queue:
                following = queue.popleft()
                self._places.wait(following.user, following)
            elif queue is not None:
                del self._queues[job.ordering_key]
        if not self._advancing:
            self._advance()

    def _advance(self) -> None:
        """Start what waits; a job that ends at once comes back here, and must not dig deeper."""
        self._advancing = True
        try:
            while (job := self._places.next()) is not None:
                self._start(job)
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
