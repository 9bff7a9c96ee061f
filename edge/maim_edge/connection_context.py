"""What the connections of one edge share: settings, bridge, one flush a turn of the loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from maim_edge.bridge import BridgeClient
from maim_edge.delivery import DeliveryWindow, Outbox, parse_overflow
from maim_edge.rate_limit import Limits
from maim_edge.settings import EdgeSettings
from maim_edge.websocket import DirectSocket, MemoryBudget

# How often a router is told at most what clients have yet to take.
LOOK_SECONDS = 1.0
# How long a client may take to answer a close.
CLOSE_SECONDS = 2.0


class Flushable(Protocol):
    """Who has something to write at the end of a turn."""

    def flush(self) -> None:
        """Write it."""


class Slow(Protocol):
    """Who has not taken everything."""

    @property
    def handle(self) -> int:
        """Its number."""

    @property
    def pending_bytes(self) -> int:
        """Memory that is held for it."""

    @property
    def pending_messages(self) -> int:
        """How many messages wait."""


class ConnectionContext:
    """`left(handle, code, reason)` hears of every connection that has ended."""

    def __init__(
        self,
        settings: EdgeSettings,
        bridge: BridgeClient,
        left: Callable[[int, int, str], None],
        memory: MemoryBudget | None = None,
    ) -> None:
        self.memory = memory or MemoryBudget()
        self.settings = settings
        self.bridge = bridge
        self.left = left
        self.overflow = parse_overflow(settings.overflow)
        # Messages that gave way to others, since the start.
        self.dropped_messages = 0
        # Set whenever a client has confirmed something, for who waits for that.
        self.confirmed = asyncio.Event()
        self._slow: dict[int, Slow] = {}
        self._look: asyncio.TimerHandle | None = None
        self._unflushed: list[Flushable] = []
        self._checks: set[asyncio.Task[None]] = set()

    def flush_soon(self, connection: Flushable) -> None:
        """Have a connection flushed when this turn of the loop has seen everything that came."""
        if not self._unflushed:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unflushed.append(connection)

    def slow(self, connection: Slow) -> None:
        """Have the router told what a connection has yet to take, as long as it is much."""
        self._slow[connection.handle] = connection
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look_at_slow)

    def new_outbox(self) -> Outbox:
        """Make room for what a client does not take at once."""
        settings = self.settings
        return Outbox(settings.outbox_bytes, settings.outbox_messages, self.memory)

    def new_delivery_window(self) -> DeliveryWindow:
        """Begin the memory of what a client was delivered."""
        return DeliveryWindow(self.settings.outbox_bytes + self.settings.max_message_size)

    def new_limits(self) -> Limits:
        """Make the limits of a connection that begins now."""
        settings = self.settings
        return Limits(settings.messages_per_second, settings.bytes_per_second, time.monotonic())

    def dropped(self, outbox: Outbox, window: DeliveryWindow) -> None:
        """Count what an outbox has dropped, have it reported and forget it."""
        self.dropped_messages += len(outbox.dropped)
        for frame in outbox.dropped:
            if frame.receipt is not None:
                window.dropped(frame.receipt)
        outbox.dropped.clear()
        self.bridge.report()

    def on_confirmed(self) -> None:
        """Have it reported that a client has something for certain."""
        self.bridge.report()
        self.confirmed.set()

    def watch(self, outbox: Outbox, too_long: Callable[[], None]) -> None:
        """Call when an outbox has been full for longer than a message that blocks may wait."""
        if outbox.deadline is not None and not outbox.watched:
            outbox.watched = True
            seconds = outbox.deadline - time.monotonic()
            asyncio.get_running_loop().call_later(seconds, self._look_at, outbox, too_long)

    def close(self, socket: DirectSocket, code: int, reason: str) -> None:
        """Close a socket; a client that does not do its part has a moment."""
        socket.close(code, reason)
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, socket.abort)

    def check(self, work: Coroutine[Any, Any, None]) -> None:
        """Look at a large frame bit by bit, beside other work."""
        task = asyncio.get_running_loop().create_task(work)
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def stop(self) -> None:
        """Drop the frames that are still being looked at."""
        if self._look is not None:
            self._look.cancel()
        for task in list(self._checks):
            task.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    def _flush(self) -> None:
        unflushed, self._unflushed = self._unflushed, []
        for connection in unflushed:
            connection.flush()

    def _look_at(self, outbox: Outbox, too_long: Callable[[], None]) -> None:
        outbox.watched = False
        if outbox.overdue(time.monotonic()):
            too_long()
        else:
            self.watch(outbox, too_long)

    def _look_at_slow(self) -> None:
        self._look = None
        slow, self._slow = self._slow, {}
        for conn, one in slow.items():
            pending = one.pending_bytes
            if self.bridge.status.pending(conn, pending, one.pending_messages) or pending:
                self.slow(one)
        self.bridge.send_status()
