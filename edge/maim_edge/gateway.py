"""Between sockets and bridge: lets clients in, hands deliveries out, sends everybody home."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from maim_edge.bridge import Bridge, BridgeClient, Downlink, Identity
from maim_edge.connection import Connection
from maim_edge.connection_context import ConnectionContext
from maim_edge.connection_registry import ConnectionRegistry
from maim_edge.delivery import FanOut
from maim_edge.drain import plan
from maim_edge.handshake import Handshake, HandshakeRefused
from maim_edge.settings import EdgeSettings
from maim_edge.websocket import AsgiSocket, MemoryBudget
from maim_protocol.addresses import network_of
from maim_protocol.bridge import (
    Admission,
    Deliveries,
    DisconnectOrder,
    DrainOrder,
    Open,
    Refused,
    Transfers,
)
from maim_protocol.close_codes import CloseCode
from maim_protocol.errors import ErrorCode, Refusal, RouterUnavailable

log = logging.getLogger(__name__)

# The closing handshake takes a moment even when the window is nothing.
LEAVE_SECONDS = 0.5


class Gateway:
    """Every connection of this process, and the bridge that they share.

    `on_order` is told the window of each drain that a router orders.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        bridge: Bridge,
        identity: Identity,
        on_order: Callable[[float], None],
        memory: MemoryBudget | None = None,
    ) -> None:
        self._settings = settings
        self._registry: ConnectionRegistry[Connection] = ConnectionRegistry(
            settings.max_connections, settings.max_connections_per_ip
        )
        self.bridge = BridgeClient(bridge, identity, self, settings.grace)
        self._fan_out = FanOut(self._registry)
        self._context = ConnectionContext(settings, self.bridge, self._leave, memory)
        self._on_order = on_order
        self.draining = False
        # Set when a drain has ended.
        self.drained = asyncio.Event()
        self._drain: asyncio.Task[None] | None = None
        # Set while nobody holds a place.
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def connections(self) -> int:
        """How many clients hold a place, those in their handshake included."""
        return len(self._registry)

    def not_ready(self) -> str | None:
        """Why this edge should get no clients now; None when it should."""
        if self.draining:
            return "this edge drains"
        return None if self.bridge.attached else "no router is attached"

    async def serve(self, socket: AsgiSocket, asked: Handshake, client_ip: str) -> None:
        """Let a client in; its connection lives on when this returns.

        Raises `HandshakeRefused` while the upgrade has not been accepted.
        """
        if self.draining:
            raise HandshakeRefused(Refusal.ROUTER_UNAVAILABLE, "this edge drains")
        handle = self._registry.enter(network_of(client_ip))
        self._empty.clear()
        handed_over = None
        try:
            connection = Connection(handle, self._context, asked.format)
            # In the registry before the verdict: what follows it at once finds the connection.
            self._registry.add(connection)
            admission = await self._ask(socket, handle, asked, client_ip)
            connection.uuid = admission.connection_uuid
            handed_over = await socket.accept(connection)
            if handed_over is not None:
                connection.attach(handed_over)
        finally:
            if handed_over is None:
                self._leave(handle, 1006, "")

    def on_deliveries(self, columns: Deliveries, transfers: Transfers, downlink: Downlink) -> None:
        """Hand each delivery to its connections, encoded once for all of one dialect."""
        self._fan_out.deliver_all(columns, transfers, downlink)

    def on_settled(self, conn: int, msg_id: str) -> None:
        """Acknowledge a message to its sender."""
        connection = self._registry.get(conn)
        if connection is not None:
            connection.settled(msg_id)

    def on_capacity(self, conn: int) -> None:
        """Read again from a connection that had sent too much."""
        connection = self._registry.get(conn)
        if connection is not None:
            connection.on_capacity()

    def on_rejected(self, conn: int, msg_id: str | None, code: str, text: str) -> None:
        """Answer a message that was not taken."""
        connection = self._registry.get(conn)
        if connection is not None:
            connection.error(_error_code(code), text, msg_id)

    def on_disconnect(self, order: DisconnectOrder) -> None:
        """Close a connection when what was delivered to it before has been written."""
        connection = self._registry.get(order.conn)
        if connection is not None:
            connection.close_after_flush(_close_code(order.code), order.reason)

    def on_router_lost(self) -> None:
        """Send every client away: no router for longer than the grace period."""
        for connection in self._registry:
            connection.close(CloseCode.ROUTER_UNREACHABLE, "no router for longer than the grace")

    def on_drain(self, order: DrainOrder) -> None:
        """Drain because the router says so; takes over from a drain that is under way."""
        window = order.window_seconds or self._settings.drain_window
        log.info("told to drain within %g s", window)
        self._on_order(window)
        self._start_drain(window)

    async def drain(self, window: float) -> None:
        """Send every client away within about `window` seconds, with what it is owed.

        Takes over from a drain that is under way, as a later order does from this one; ends with
        whichever is the last.
        """
        self._start_drain(window)
        await self.drained.wait()

    async def stop(self) -> None:
        """Tell the router what is still owed, and drop what nobody waits for."""
        await self._context.stop()
        await _within(LEAVE_SECONDS, self.bridge.finish())

    def _start_drain(self, window: float) -> None:
        if self._drain is not None and self._drain.done():
            return  # everybody was sent away: who is still here does not listen
        self.draining = True
        self.bridge.status.drains()
        self.bridge.send_status()
        if self._drain is not None:
            self._drain.cancel()
        self._drain = asyncio.create_task(self._send_away(window))
        self._drain.add_done_callback(self._on_drained)

    async def _send_away(self, window: float) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        await self._close_all(window, began)
        if not await _within(max(window / 3, LEAVE_SECONDS), self._empty.wait()):
            log.warning("drain: %d clients did not leave", len(self._registry))
        if not await _within(began + window - clock(), self.bridge.wait_settled()):
            log.warning("drain: %d messages are not settled", self.bridge.unsettled)

    async def _close_all(self, window: float, began: float) -> None:
        """Close every client at its time; ends early when all have left by themselves."""
        batches = plan(list(self._registry), window, secrets.SystemRandom())
        for connection, retry_after_ms in (one for batch in batches for one in batch.leaving):
            notice = {"event": "drain", "retry_after_ms": retry_after_ms}
            connection.tell(connection.dialect.notice(notice, time.time()))
        clock = asyncio.get_running_loop().time
        for batch in batches:
            if await _within(began + batch.after_seconds - clock(), self._empty.wait()):
                return
            leaving = [connection for connection, _ in batch.leaving]
            # What is under way is answered first, if that does not take until the next batch.
            await _within(window / 3 / len(batches), self._answered(leaving))
            for connection in leaving:
                connection.close_after_flush(CloseCode.GOING_AWAY, "the edge stops")

    async def _answered(self, leaving: Sequence[Connection]) -> None:
        """Wait until the router has answered for everything, and these for what they were sent.

        What they did not confirm they would get again elsewhere.
        """
        for connection in leaving:
            connection.probe()
        await self.bridge.wait_settled()
        while any(connection.window.unconfirmed for connection in leaving):
            self._context.confirmed.clear()
            await self._context.confirmed.wait()

    def _on_drained(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        if error := task.exception():
            log.error("the drain failed", exc_info=error)
        self.drained.set()

    def _leave(self, handle: int, code: int, reason: str) -> None:
        self._registry.leave(handle)
        self.bridge.closed(handle, code, reason)
        if not len(self._registry):
            self._empty.set()

    async def _ask(
        self, socket: AsgiSocket, handle: int, asked: Handshake, client_ip: str
    ) -> Admission:
        open_ = Open(
            handle,
            asked.api_key,
            asked.platform,
            asked.label,
            client_ip,
            time.time(),
            asked.headers,
        )
        try:
            verdict = await socket.unless_gone(self.bridge.open(open_))
        except RouterUnavailable as error:
            raise HandshakeRefused(Refusal.ROUTER_UNAVAILABLE, str(error)) from error
        if isinstance(verdict, Refused):
            raise HandshakeRefused(_refusal(verdict.code), verdict.text)
        return verdict


async def _within(seconds: float, fact: Coroutine[Any, Any, object]) -> bool:
    """Whether a fact came true in time."""
    try:
        async with asyncio.timeout(seconds):
            await fact
    except TimeoutError:
        return False
    return True


def _error_code(code: str) -> ErrorCode:
    """Read a code of a router, which may be newer than this edge."""
    return ErrorCode(code) if code in set(ErrorCode) else ErrorCode.INTERNAL


def _close_code(code: int) -> int:
    """Read a close code of a router; RFC 6455 section 7.4 forbids some on the wire."""
    sendable = code in (1000, 1001, 1002, 1003) or 1007 <= code <= 1014 or 3000 <= code <= 4999
    return code if sendable else CloseCode.INTERNAL


def _refusal(code: str) -> Refusal:
    return Refusal(code) if code in set(Refusal) else Refusal.ROUTER_UNAVAILABLE
