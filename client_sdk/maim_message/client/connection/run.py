"""One run of a connection: from a `connect` until nothing is tried any more.

Rule of the file: whatever ends a run, be it before its first step, who waits for it hears.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class ConnectionRun:
    """Owns the task of `live(run)`, and who waits for the outcome of an attempt.

    A later run shares nothing of this, so that the end of one says nothing about the next.
    """

    def __init__(
        self, live: Callable[[ConnectionRun], Coroutine[Any, Any, None]], name: str
    ) -> None:
        self.connected = False
        self.goes_on = True
        self.attempts_in_vain = 0
        self.why_ended = "disconnected"
        self._outcomes: list[asyncio.Future[bool]] = []
        self._awaited = asyncio.Event()
        self.task = asyncio.create_task(live(self), name=name)
        # Not at the end of `live`: a task that is cancelled early never comes there.
        self.task.add_done_callback(lambda _: self.resolve(False))

    @property
    def expecting(self) -> bool:
        """Whether a link is up or will be tried for."""
        return self.goes_on and not self.task.done()

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for the outcome of an attempt."""
        return self._awaited.is_set()

    async def outcome(self) -> bool:
        """Wait for the outcome of the next attempt; when it is due later, it is made now."""
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._outcomes.append(outcome)
        self._awaited.set()
        return await outcome

    def resolve(self, connected: bool) -> None:
        """Tell everybody who waits how an attempt went."""
        self._awaited.clear()
        outcomes, self._outcomes = self._outcomes, []
        for outcome in outcomes:
            if not outcome.done():
                outcome.set_result(connected)

    async def pause(self, seconds: float) -> None:
        """Wait for so long, or until somebody waits for an outcome."""
        try:
            await asyncio.wait_for(self._awaited.wait(), seconds)
        except asyncio.TimeoutError:
            return

    def end(self) -> None:
        """Try no more and close the link; `task` is done when that is through."""
        self.goes_on = False
        self.task.cancel()
