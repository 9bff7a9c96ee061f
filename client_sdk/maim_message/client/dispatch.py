"""Runs the user's callbacks: never on the read loop, started in order, bounded in number.

Rule of the file: a callback that raises is logged and counted, and harms nothing else.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats

Job = Callable[[], Awaitable[None]]


class Dispatcher:
    """Owns the tasks in which callbacks run.

    When `max_tasks` callbacks run, `submit` waits, and with it the reading of frames: the edge
    then sees a slow consumer, rather than this process running out of memory.
    """

    def __init__(self, max_tasks: int, log: ClientLog, stats: Stats) -> None:
        self._slots = asyncio.Semaphore(max_tasks)
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = log
        self._stats = stats

    @property
    def active(self) -> int:
        """How many callbacks run now."""
        return len(self._tasks)

    async def submit(self, what: str, job: Job) -> None:
        """Start a job in a task of its own; `what` names it in the log. Safe to cancel."""
        await self._slots.acquire()
        task = asyncio.create_task(self._run(what, job), name=f"maim callback: {what}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def stop(self, grace_seconds: float) -> None:
        """Let what runs finish, cancel what does not; a callback may call this itself."""
        tasks = self._tasks - {asyncio.current_task()}
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _run(self, what: str, job: Job) -> None:
        try:
            await job()
        except Exception as error:
            self._stats.handler_errors += 1
            self._log.failure(f"callback failed: {what}", error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()


async def call(callback: Callable[..., Any], *arguments: Any) -> Any:
    """Call a `def`, `async def` or lambda, and await what it returns if that can be awaited."""
    result = callback(*arguments)
    return await result if inspect.isawaitable(result) else result


async def call_handler(handler: Callable[..., Any], payload: Any, metadata: dict[str, Any]) -> None:
    """Call a custom handler; one with a single parameter gets the payload alone."""
    await call(handler, *((payload, metadata) if _takes_two(handler) else (payload,)))


@functools.lru_cache(maxsize=256)
def _takes_two(handler: Callable[..., Any]) -> bool:
    try:
        inspect.signature(handler).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature
        return True
    return True
