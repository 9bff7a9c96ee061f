"""The writing side of a bridge stream: one task that sends whatever has gathered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

F = TypeVar("F")

# A lone frame leaves at once; the next waits this long, so that frames fill under load.
PACE_SECONDS = 0.001


class Pump(Generic[F]):
    """Sends frames made by `gather` through `write`, one at a time."""

    def __init__(
        self, gather: Callable[[], F | None], write: Callable[[F], Awaitable[None]]
    ) -> None:
        self._gather = gather
        self._write = write
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def wake(self) -> None:
        """Say that there is something to gather."""
        self._idle.clear()
        self._work.set()

    async def idle(self) -> None:
        """Wait until everything that there was to gather is written."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send until cancelled or until `write` raises."""
        while True:
            await self._work.wait()
            self._work.clear()
            while (frame := self._gather()) is not None:
                await self._write(frame)
                await asyncio.sleep(PACE_SECONDS)
            self._idle.set()

    async def flush(self) -> None:
        """Send what has gathered by now, without a pace."""
        while (frame := self._gather()) is not None:
            await self._write(frame)
