"""Runs the user's callbacks: never on the read loop, started in order, bounded in number.

Rule of the file: a callback that raises is logged and counted, and harms nothing else.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats

# What may wait for its turn; reading stops then.
MOST_WAITING = 1000
MOST_WAITING_BYTES = 1 << 20
# How long callbacks may keep the loop from everything else, if each of them is quick.
TURN_SECONDS = 0.01


class Job(Protocol):
    """One call of a callback; its text names it in the log."""

    @property
    def size_bytes(self) -> int: ...

    def start(self) -> Any:
        """Call the callback and return what it returned."""

    def cut_off(self) -> None:
        """Hear that the callback was cancelled in the middle."""


class Dispatcher:
    """Calls callbacks in turns of the loop; one that waits gets a task of its own.

    When `max_tasks` of them wait, the others wait for their turn, and when those are many, the
    reading of frames: the edge then sees a slow consumer, rather than this process running out
    of memory. Each call has its own context, as if it had its own task.
    """

    def __init__(self, max_tasks: int, log: ClientLog, stats: Stats) -> None:
        self._max_tasks = max_tasks
        self._log = log
        self._stats = stats
        self._waiting: deque[Job] = deque()
        self._waiting_bytes = 0
        self._tasks: dict[asyncio.Task[Any], Job] = {}
        self._turn_is_due = False
        self._after_turn: list[Callable[[], None]] = []
        # Made when somebody waits: before Python 3.10 it belongs to the loop that makes it.
        self._room: asyncio.Event | None = None

    @property
    def active(self) -> int:
        """How many callbacks run now."""
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether so much waits for its turn that no more should be read."""
        return len(self._waiting) >= MOST_WAITING or self._waiting_bytes >= MOST_WAITING_BYTES

    async def room(self) -> None:
        """Wait until less waits for its turn. Safe to cancel."""
        while self.full:
            self._room = asyncio.Event()
            await self._room.wait()

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn, which comes soon unless too many run."""
        self._waiting.append(job)
        self._waiting_bytes += job.size_bytes
        self._call_turn()

    def after_turn(self, action: Callable[[], None]) -> None:
        """Within a job: do something when the jobs of this turn have begun."""
        self._after_turn.append(action)

    async def stop(self, grace_seconds: float) -> None:
        """Let what runs or waits finish, drop what does not; a callback may call this itself.

        What still waits is dropped as if it had never been submitted: nothing of it has happened.
        """
        until = time.monotonic() + grace_seconds
        while time.monotonic() < until:
            self._turn()
            if others := self._others():
                await asyncio.wait(others, timeout=until - time.monotonic())
            elif not self._waiting or self.active >= self._max_tasks:
                break
        self._waiting.clear()
        self._waiting_bytes = 0
        others = self._others()
        for task in others:
            task.cancel()
        if others:
            await asyncio.wait(others)

    def _others(self) -> set[asyncio.Task[Any]]:
        return self._tasks.keys() - {asyncio.current_task()}

    def _call_turn(self) -> None:
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        until, running = time.monotonic() + TURN_SECONDS, len(self._tasks)
        while self._waiting and len(self._tasks) < self._max_tasks:
            job = self._waiting.popleft()
            self._waiting_bytes -= job.size_bytes
            self._start(job)
            if time.monotonic() >= until:
                self._call_turn()
                break
        if self._room is not None:
            self._room.set()
        self._act_after_turn(first_steps_to_come=len(self._tasks) > running)

    def _act_after_turn(self, first_steps_to_come: bool) -> None:
        actions, self._after_turn = self._after_turn, []
        for action in actions:
            if first_steps_to_come:
                asyncio.get_running_loop().call_soon(action)
            else:
                action()

    def _start(self, job: Job) -> None:
        context = contextvars.copy_context()
        try:
            returned = context.run(job.start)
        except (Exception, asyncio.CancelledError) as error:  # user code: what it raises is its own
            self._failed(job, error)
            return
        if returned is None or not inspect.isawaitable(returned):
            return
        coroutine = returned if inspect.iscoroutine(returned) else _awaited(returned)
        task = _begun(coroutine, context)
        if task.done():
            self._judge(task, job)
        else:
            self._tasks[task] = job
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._judge(task, self._tasks.pop(task))
        if self._waiting:
            self._call_turn()

    def _judge(self, task: asyncio.Task[Any], job: Job) -> None:
        if task.cancelled():
            job.cut_off()
        elif isinstance(error := task.exception(), Exception):
            self._failed(job, error)

    def _failed(self, job: Job, error: BaseException) -> None:
        self._stats.handler_errors += 1
        self._log.failure(f"callback failed: {job}", error)


def _begun(coroutine: Coroutine[Any, Any, Any], context: contextvars.Context) -> asyncio.Task[Any]:
    """Make a task, which begins at once where Python knows how: it may be done by then."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)
    return context.run(loop.create_task, coroutine)


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def call(callback: Callable[..., Any], *arguments: Any) -> Any:
    """Call a `def`, `async def` or lambda, and await what it returns if that can be awaited."""
    result = callback(*arguments)
    return await result if inspect.isawaitable(result) else result


def call_handler(handler: Callable[..., Any], payload: Any, metadata: dict[str, Any]) -> Any:
    """Call a custom handler; one with a single parameter gets the payload alone."""
    return handler(payload, metadata) if _takes_two(handler) else handler(payload)


@functools.lru_cache(maxsize=256)
def _takes_two(handler: Callable[..., Any]) -> bool:
    try:
        inspect.signature(handler).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature
        return True
    return True
