"""Runs the application's handlers: started in order, bounded in number, isolated."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

log = logging.getLogger(__name__)

Order = Literal["concurrent", "sequential"]


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a handler.

    `lane` is the sender (only one job of it runs at a time when the order is sequential);
    `done` is told whether the handler returned. A job without `done` is a notification.
    """

    name: str
    lane: str
    run: Callable[[], Awaitable[object]]
    started: Callable[[], None] | None = None
    done: Callable[[bool], None] | None = None


class Handlers:
    """Starts jobs in order of arrival, at most `limit` at once; the others wait their turn.

    What waits is bounded by what the edges keep for their clients until it is settled.
    """

    def __init__(self, limit: int = 1000, order: Order = "concurrent") -> None:
        self._limit = limit
        self._sequential = order == "sequential"
        self._waiting: deque[Job] = deque()
        self._lanes: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.errors = 0

    @property
    def active(self) -> int:
        """How many handlers run now."""
        return len(self._tasks)

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return len(self._waiting) + sum(len(lane) for lane in self._lanes.values())

    def submit(self, job: Job) -> None:
        """Start a job, or let it wait for its turn."""
        if self._stopping and job.done is not None:
            return
        if self._sequential:
            lane = self._lanes.get(job.lane)
            if lane is not None:
                lane.append(job)
                return
            self._lanes[job.lane] = deque()
        self._enqueue(job)

    async def finish(self, timeout: float) -> None:
        """Start no message any more and let what runs finish for `timeout` seconds.

        Messages that wait are dropped without an answer: their edge keeps them. Notifications
        go on.
        """
        self._stopping = True
        left = [*self._waiting, *(job for lane in self._lanes.values() for job in lane)]
        self._waiting = deque(job for job in left if job.done is None)
        self._lanes.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self._tasks:
                    await asyncio.wait(self._tasks)

    async def stop(self, timeout: float) -> None:
        """Finish for `timeout` seconds, then drop what waits and cancel what still runs."""
        await self.finish(timeout)
        self._waiting.clear()
        self._lanes.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _enqueue(self, job: Job) -> None:
        if len(self._tasks) < self._limit:
            self._start(job)
        else:
            self._waiting.append(job)

    def _start(self, job: Job) -> None:
        if job.started is not None:
            job.started()
        task = asyncio.get_running_loop().create_task(self._run(job), name=job.name)
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._finished(task, job))

    async def _run(self, job: Job) -> None:
        returned = True
        try:
            await job.run()
        except Exception:
            returned = False
            self.errors += 1
            log.exception("handler raised: %s", job.name)
        # Not reached when cancelled: a message whose handler was cut off is not answered.
        if job.done is not None:
            job.done(returned)

    def _finished(self, task: asyncio.Task[None], job: Job) -> None:
        self._tasks.discard(task)
        lane = self._lanes.get(job.lane) if self._sequential else None
        if lane:
            self._waiting.append(lane.popleft())
        elif lane is not None:
            del self._lanes[job.lane]
        while self._waiting and len(self._tasks) < self._limit:
            self._start(self._waiting.popleft())
