"""What the connections of one edge share: settings, bridge, one flush a turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from maim_edge.bridge.client import BridgeClient
from maim_edge.settings import EdgeSettings


class Flushable(Protocol):
    """Who has something to write at the end of a turn."""

    def flush(self) -> None:
        """Write it."""


class House:
    """`left(handle, code, reason)` hears of every connection that has ended."""

    def __init__(
        self,
        settings: EdgeSettings,
        bridge: BridgeClient,
        left: Callable[[int, int, str], None],
    ) -> None:
        self.settings = settings
        self.bridge = bridge
        self.left = left
        self._unflushed: list[Flushable] = []
        self._checks: set[asyncio.Task[None]] = set()

    def flush_soon(self, connection: Flushable) -> None:
        """Have a connection flushed when this turn of the loop has seen everything that came."""
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed.append(connection)

    def check(self, work: Coroutine[Any, Any, None]) -> None:
        """Look at a large frame bit by bit, beside other work."""
        task = asyncio.get_running_loop().create_task(work)
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def stop(self) -> None:
        """Drop the frames that are still being looked at."""
        for task in list(self._checks):
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    def _flush(self) -> None:
        unflushed, self._unflushed = self._unflushed, []
        for connection in unflushed:
            connection.flush()
