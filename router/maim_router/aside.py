"""Calls callbacks that may block so that a slow one holds up nobody."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from typing import Any

from maim_router.hooks import as_error, call, own_result


class Aside:
    """Runs an `async def` on the loop, anything else in a thread of its own.

    At most `limit` threads run at once; further calls wait for a place. Nothing waits for the
    end of a thread: a hanging callback keeps its place, but does not hold up the end of the
    process.
    """

    def __init__(self, limit: int) -> None:
        self._places = asyncio.Semaphore(limit)

    async def call(self, callback: Callable[..., Any], *args: Any) -> Any:
        """Call a callback, awaiting what it returns when that can be awaited."""
        if inspect.iscoroutinefunction(callback):
            return await call(callback, *args)
        result = await self._in_thread(callback, *args)
        return await own_result(result) if inspect.isawaitable(result) else result

    async def _in_thread(self, callback: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def ended(set_answer: Callable[[Any], None], answer: Any) -> None:
            self._places.release()
            if not future.done():
                set_answer(answer)

        def run() -> None:
            try:
                outcome = (future.set_result, callback(*args))
            except BaseException as error:
                outcome = (future.set_exception, as_error(error))
            # The loop may have been closed meanwhile; then nobody waits any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended, *outcome)

        await self._places.acquire()
        try:
            threading.Thread(target=run, daemon=True, name="maim-callback").start()
        except RuntimeError:
            self._places.release()
            raise
        return await future
