"""Calls that a backend repeats are carried out once: the first report answers for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from maim_router.bridge import DeliveryReport

LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class _Call:
    task: asyncio.Task[DeliveryReport]
    until: float


class IdempotentCalls:
    """Reports by idempotency key, for `window` seconds from the first call on.

    Bounded: the oldest gives way to a new one. `clock` is monotonic seconds.
    """

    def __init__(self, window: float, clock: Callable[[], float]) -> None:
        self._window = window
        self._clock = clock
        self._calls: dict[str, _Call] = {}

    async def run(
        self, key: str, send: Callable[[], Coroutine[Any, Any, DeliveryReport]]
    ) -> DeliveryReport:
        """Return the report of the first call with `key`; an empty key is never remembered.

        Raises what the first call raised; that is not remembered. Cancelling one caller takes
        nothing from the others.
        """
        if not key:
            return await send()
        self._forget_old()
        call = self._calls.get(key)
        if call is None:
            task = asyncio.create_task(send())
            call = self._calls[key] = _Call(task, self._clock() + self._window)
            task.add_done_callback(lambda task: self._finished(key, task))
        return await asyncio.shield(call.task)

    async def stop(self) -> None:
        """Cancel what still runs."""
        tasks = [call.task for call in self._calls.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _finished(self, key: str, task: asyncio.Task[DeliveryReport]) -> None:
        failed = task.cancelled() or task.exception() is not None
        call = self._calls.get(key)
        if failed and call is not None and call.task is task:
            del self._calls[key]

    def _forget_old(self) -> None:
        """Drop what is over; calls are in the order of their start, and so of their end."""
        now = self._clock()
        while self._calls:
            key, call = next(iter(self._calls.items()))
            if not (call.until <= now or len(self._calls) >= LIMIT) or not call.task.done():
                return
            del self._calls[key]
