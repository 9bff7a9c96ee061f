"""Calls callbacks that may block so that a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

from maim_router.fair_queue import FairQueue
from maim_router.hooks.callbacks import as_error, await_result, call

# How long a call waits for a thread: quick callbacks of many who come at once all get theirs.
WAIT_SECONDS = 1.0
# How long a thread stays for the next call: starting one costs more than most callbacks.
IDLE_SECONDS = 5.0


class NoPlace(Exception):
    """So many callbacks run, or those of one key, that another one cannot."""


class CallbackExecutor:
    """Runs an `async def` on the loop, anything else in a thread.

    At most `limit` calls run in threads at once, shared fairly between the `key`s that callers
    name; further ones wait for a place for `wait_seconds`, in turn, and no longer. Nothing waits
    for the end of a thread: a hanging callback keeps its place, but does not hold up the end of
    the process.
    """

    def __init__(self, limit: int, wait_seconds: float = WAIT_SECONDS) -> None:
        self._places: FairQueue[str, asyncio.Future[None]] = FairQueue(limit)
        self._wait_seconds = wait_seconds
        self._threads = _Threads()

    async def call(self, callback: Callable[..., Any], *args: Any, key: str = "") -> Any:
        """Call a callback, awaiting what it returns when that can be awaited.

        Raises `NoPlace` when no thread was free for this key in time.
        """
        if inspect.iscoroutinefunction(callback):
            return await call(callback, *args)
        result = await self._in_thread(callback, args, key)
        return await await_result(result) if inspect.isawaitable(result) else result

    async def _in_thread(self, callback: Callable[..., Any], args: Sequence[Any], key: str) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def ended(set_answer: Callable[[Any], None], answer: Any) -> None:
            self._leave(key)
            if not future.done():
                set_answer(answer)

        def run() -> Callable[[], None]:
            try:
                outcome = (future.set_result, callback(*args))
            except BaseException as error:
                outcome = (future.set_exception, as_error(error))
            return lambda: _tell(loop, ended, *outcome)

        await self._enter(key)
        try:
            self._threads.run(run)
        except RuntimeError:
            self._leave(key)
            raise
        return await future

    async def _enter(self, key: str) -> None:
        if self._places.enter(key):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._places.wait(key, turn)
        try:
            await asyncio.wait([turn], timeout=self._wait_seconds)
        except asyncio.CancelledError:
            if turn.done():
                self._leave(key)
            else:
                self._places.discard(key, turn)
            raise
        if not turn.done():
            self._places.discard(key, turn)
            raise NoPlace("every thread for callbacks is taken")

    def _leave(self, key: str) -> None:
        self._places.leave(key)
        while (turn := self._places.next()) is not None:
            turn.set_result(None)


class _Threads:
    """As many threads as there are calls at once; one that is free takes the next call."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], Callable[[], None]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        # Threads that wait for a call which has not been given to them yet.
        self._free = 0

    def run(self, call: Callable[[], Callable[[], None]]) -> None:
        """Run a call, then what it returns; raises `RuntimeError` when there is no thread."""
        with self._lock:
            started = self._free == 0
            if not started:
                self._free -= 1
        if started:
            threading.Thread(target=self._work, daemon=True, name="maim-callback").start()
        self._calls.put(call)

    def _work(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                if self._leaves():
                    return
                continue
            tell = call()
            with self._lock:
                self._free += 1
            # Free first: whoever hears of the end may have the next call ready.
            tell()

    def _leaves(self) -> bool:
        """Whether this thread is not needed: none of the free ones was given a call meanwhile."""
        with self._lock:
            if self._free == 0:
                return False
            self._free -= 1
            return True


def _tell(loop: asyncio.AbstractEventLoop, *told: Any) -> None:
    # The loop may have been closed meanwhile; then nobody waits any more.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(*told)
