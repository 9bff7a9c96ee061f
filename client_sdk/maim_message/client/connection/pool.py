"""The connections of one client with what they share: callbacks, counters, the last error."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from maim_message.client.callbacks import Callbacks, Dispatcher, Inbox
from maim_message.client.configuration import ClientConfig
from maim_message.client.connection.connection import Connection
from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats

STOP_GRACE_SECONDS = 5.0
STATS_INTERVAL_SECONDS = 60.0


class PoolConfig(Callbacks, Protocol):
    """The part of a client's config that is not of one connection."""

    max_handler_tasks: int
    enable_stats: bool


class Pool:
    """Owns every task of a client; after `stop` none of them is left."""

    def __init__(self, config: PoolConfig) -> None:
        self.connections: dict[str, Connection] = {}
        self.running = False
        self.last_error: str | None = None
        self._config = config
        self._log = ClientLog(config)
        self._stats = Stats()
        self._dispatcher = Dispatcher(config.max_handler_tasks, self._log, self._stats)
        self._inbox = Inbox(config, self._dispatcher, self._stats)
        self._retired: set[Connection] = set()
        self._reporting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Allow connections; reports the counters regularly when a callback wants them."""
        if self.running:
            return
        self.running = True
        if self._config.enable_stats and self._config.stats_callback is not None:
            self._reporting = asyncio.create_task(self._report_stats())

    async def stop(self) -> None:
        """Close every link and end every task; a callback may call this."""
        self.running = False
        reporting, self._reporting = self._reporting, None
        if reporting is not None:
            reporting.cancel()
        ending = [*self.connections.values(), *self._retired]
        for each in ending:
            each.end()
        await asyncio.gather(*(each.closed() for each in ending))
        await self._dispatcher.stop(STOP_GRACE_SECONDS)
        if reporting is not None:
            await asyncio.wait([reporting])

    def add(self, config: ClientConfig) -> Connection:
        """Add a connection, which does not connect yet."""
        connection = Connection(config, self._inbox, self._log, self._stats, self.note)
        self.connections[connection.uuid] = connection
        return connection

    def retire(self, connection: Connection) -> None:
        """Forget a connection, which closes in the background; `stop` waits for that."""
        del self.connections[connection.uuid]
        connection.end()
        self._retired = {each for each in (*self._retired, connection) if not each.idle}

    async def connect(self, connection: Connection) -> bool:
        """Connect one; False with a reason unless the client runs and has it still."""
        if not self.running:
            return self.refuse("the client is not started: call start() first")
        if self.connections.get(connection.uuid) is not connection:
            return self.refuse("the connection was removed before it was connected")
        return await connection.connect()

    def note(self, error: str | None) -> None:
        """Remember why something failed, or that it no longer does."""
        self.last_error = error

    def refuse(self, why: str) -> bool:
        """Remember why something was not done, and answer so."""
        self.note(why)
        return False

    def get_stats(self) -> dict[str, Any]:
        """Return the counters and the present numbers."""
        connected = [each for each in self.connections.values() if each.connected]
        return {
            **self._stats.as_dict(),
            "active_handler_tasks": self._dispatcher.active,
            "messages_unacknowledged": sum(c.unacknowledged for c in self.connections.values()),
            "connections_registered": len(self.connections),
            "connected_count": len(connected),
            "connected": bool(connected),
            "last_error": self.last_error,
        }

    async def _report_stats(self) -> None:
        while True:
            await asyncio.sleep(STATS_INTERVAL_SECONDS)
            self._inbox.report(self.get_stats())
