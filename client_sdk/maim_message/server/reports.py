"""Tells a server's numbers to `stats_callback`, every `stats_interval` seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from maim_message.server.config import ServerConfig
from maim_router.handlers import HandlerRunner, Job
from maim_router.hooks import call


class Reports:
    """Those of one run of a server; reads the config each time, so that a change of it counts."""

    def __init__(self, config: ServerConfig, read: Callable[[], dict[str, Any]]) -> None:
        self._config = config
        self._read = read
        # Beside the node's, which may be full: that is when numbers are wanted.
        self._handlers = HandlerRunner(1)
        self._ended = False

    def start(self) -> None:
        """Begin, when the config wants any."""
        if self._config.enable_stats and self._config.stats_callback is not None:
            self._handlers.submit(Job("stats_callback", "", None, self._repeat))

    def excused(self, task: asyncio.Task[Any] | None) -> AbstractContextManager[None]:
        """Neither wait for this task nor cancel it meanwhile: it waits for the end itself."""
        return self._handlers.excused(task)

    async def stop(self) -> None:
        """Cut off what runs."""
        self._ended = True
        await self._handlers.stop(0)

    async def _repeat(self) -> None:
        # A callback that stopped the server goes on; it was the last one.
        while not self._ended:
            await asyncio.sleep(self._config.stats_interval)
            callback = self._config.stats_callback
            if callback is None:
                continue
            try:
                await call(callback, self._read())
            except Exception:
                logging.getLogger(__name__).exception("stats_callback raised")
