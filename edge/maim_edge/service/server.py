"""An edge that runs: gateway, WebSocket port, admin port and the bridge's task."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from functools import partial

from maim_edge.bridge import Bridge, Identity, new_epoch
from maim_edge.gateway import Gateway
from maim_edge.service.app import create_app
from maim_edge.service.tls import server_context
from maim_edge.settings import EdgeSettings
from maim_edge.websocket import (
    EdgeHttpProtocol,
    EdgeWebSocketProtocol,
    MemoryBudget,
    PicowsProtocol,
)
from maim_protocol.addresses import join
from maim_runtime.http import HttpServer, admin_app, bind, bound_port
from maim_runtime.memory import bytes_of

log = logging.getLogger(__name__)

STOP_SECONDS = 0.5


class EdgeServer:
    """One edge process, or the edge half of a process that has a router too.

    `start` returns when the port answers; whether a router serves it is another matter.
    `on_order` is told the window, in seconds, of each drain that a router orders.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        bridge: Bridge,
        on_order: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._bridge = bridge
        self._on_order = on_order
        self._http = HttpServer()
        self._admin = HttpServer()
        self._running: asyncio.Task[None] | None = None
        self.gateway: Gateway | None = None
        self.port = 0
        self.admin_port = 0

    @property
    def scheme(self) -> str:
        """`ws` or `wss`."""
        return "wss" if self._settings.tls_cert else "ws"

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"{self.scheme}://{join(self._settings.host, self.port)}{self._settings.path}"

    async def start(self) -> asyncio.Task[None]:
        """Open the ports and attach; returns the task of the bridge, which never ends well.

        Raises `ConfigError` for a certificate and `OSError` for a port that cannot be used.
        """
        settings = self._settings
        context = server_context(settings) if settings.tls_cert else None
        sock = self._bind()
        self.port = bound_port(sock)
        admin = self._bind_admin(sock)
        identity = _identity(settings, self.port)
        memory = MemoryBudget(bytes_of(settings.memory), lambda: gateway.bridge.unsettled_bytes)
        gateway = self.gateway = Gateway(settings, self._bridge, identity, self._on_order, memory)
        self._running = asyncio.create_task(gateway.bridge.run())
        await self._http.start(
            create_app(gateway, settings),
            sock,
            ssl_context=context,
            http=EdgeHttpProtocol,
            ws_protocol_class=partial(_protocol_class(settings), memory=memory),
            ws_max_size=settings.max_message_size,
            ws_ping_interval=settings.ping_interval,
            ws_ping_timeout=settings.ping_timeout,
            ws_per_message_deflate=settings.compression,
        )
        if admin is not None:
            self.admin_port = bound_port(admin)
            await self._admin.start(admin_app(gateway.not_ready), admin)
        return self._running

    async def attached(self) -> None:
        """Wait until a router serves it; call after `start`."""
        if self.gateway is not None:
            await self.gateway.bridge.wait_attached()

    async def drained(self) -> None:
        """Wait until a router had it drain and its clients have left; call after `start`."""
        if self.gateway is not None:
            await self.gateway.drained.wait()

    async def stop(self) -> None:
        """Drain unless that is over, close the ports, let the bridge go."""
        if self.gateway is not None:
            await self.gateway.drain(self._settings.drain_window)
        await self._http.stop(STOP_SECONDS)
        if self.gateway is not None:
            await self.gateway.stop()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._bridge.close()
        await self._admin.stop(STOP_SECONDS)

    def _bind(self) -> socket.socket:
        settings = self._settings
        if settings.listen_fd is None:
            return bind(settings.host, settings.effective_port)
        inherited = socket.socket(fileno=settings.listen_fd)
        inherited.setblocking(False)
        return inherited

    def _bind_admin(self, other: socket.socket) -> socket.socket | None:
        settings = self._settings
        if settings.admin_port < 0:
            return None
        try:
            return bind(settings.admin_host, settings.admin_port)
        except OSError:
            other.close()
            raise


def _protocol_class(settings: EdgeSettings) -> Callable[..., asyncio.Protocol]:
    # picows knows no permessage-deflate.
    with_picows = settings.ws == "picows" and not settings.compression
    return PicowsProtocol if with_picows else EdgeWebSocketProtocol


def _identity(settings: EdgeSettings, port: int) -> Identity:
    edge_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    address = join(settings.host, port)
    return Identity(
        edge_id,
        new_epoch(),
        address,
        settings.max_connections,
        settings.outbox_bytes,
        settings.outbox_messages,
    )
