"""Starts and stops of a server, one after the other in the order of the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]


class Transitions:
    """Runs each in a task of its own, which outlives whoever called and waits for it.

    So a caller that is cancelled leaves no half of one behind, and a callback that the stopping
    ends may have called for it. A caller that is cancelled again does not wait any more.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        # The event loop itself does not keep tasks alive.
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, work: Work, undo: Work) -> None:
        """Do `work`, which takes itself back when it fails; cancelling takes it back as well.

        `undo` is done in its turn where `work` was through when it was to be cancelled.
        """
        task = self._begin(work)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and task.exception() is None:
                await self.stop(undo)
            raise
        task.result()

    async def stop(self, work: Work) -> None:
        """Do `work` to its end; cancelling only gives up waiting for it."""
        task = self._begin(work)
        await asyncio.wait([task])
        task.result()

    def _begin(self, work: Work) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._in_turn(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _in_turn(self, work: Work) -> None:
        async with self._turn:
            await work()
