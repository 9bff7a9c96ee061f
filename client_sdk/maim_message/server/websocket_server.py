"""`WebSocketServer`: a router in this process and an edge for it (docs/api.md)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

from maim_message.message import APIMessageBase
from maim_message.server import views
from maim_message.server.callbacks import Callbacks
from maim_message.server.config import ServerConfig, edge_settings
from maim_message.server.embedded import EdgeProcesses, Edges, ExternalEdges, InProcessEdge
from maim_message.server.reports import Reports
from maim_message.server.transitions import Transitions
from maim_protocol.addresses import is_loopback
from maim_protocol.errors import ConfigError, MaimError
from maim_protocol.message import encode_object
from maim_router.bridge import DeliveryResult
from maim_router.connection_map import Entry
from maim_router.delivery import DEFAULT_TIMEOUT, WaitFor
from maim_router.hooks import call
from maim_router.node import Node
from maim_router.service import build_node
from maim_router.settings import RouterSettings
from maim_runtime.settings import build


class NotRunning(MaimError, RuntimeError):
    """The server is not started, or stopped."""


class WebSocketServer:
    """Router and edge in one object.

    `edge_workers`: None serves clients in this process; a number starts as many edge processes;
    0 starts none, then edges elsewhere attach to `bridge_address` (`host:port`, `unix:/path`).
    Timeouts in seconds. Not safe to use from several event loops.
    """

    def __init__(
        self,
        config: ServerConfig | None = None,
        *,
        edge_workers: int | None = None,
        bridge_address: str = "127.0.0.1:50051",
    ) -> None:
        self.config = config or ServerConfig()
        self._callbacks = Callbacks(self.config)
        self._edge_workers = edge_workers
        self._bridge_address = bridge_address
        self._transitions = Transitions()
        self._edges: Edges | None = None
        self._node: Node | None = None
        self._reports: Reports | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """Where clients connect; empty while it is not started."""
        return self._edges.url if self._edges is not None else ""

    async def start(self) -> None:
        """Return when the port answers; raises `OSError` or `ConfigError` with the reason.

        Begins when what was called before has ended. Cancelling leaves nothing running.
        """
        with self._excused(asyncio.current_task()):
            await self._transitions.start(self._start, self._stop)

    async def stop(self) -> None:
        """Drain: clients are told to come back, handlers finish; then everything ends.

        Cancelling does not end the stopping: the next call waits for the rest. A callback may
        call it and goes on when all the others have ended.
        """
        with self._excused(asyncio.current_task()):
            await self._transitions.stop(self._stop)

    def bind_node(self, node: Node) -> None:
        """Send through a router that somebody else runs (`maim router --app module:server`)."""
        self._node = node
        self._callbacks.install(node.hooks)

    def is_running(self) -> bool:
        """Whether it is started."""
        return self._edges is not None

    async def send_message(
        self,
        message: APIMessageBase,
        target_platform: str | None = None,
        *,
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
        ttl: float = 0.0,
    ) -> DeliveryResult:
        """Send to the user that `message_dim` names; `target_platform` overrides its platform.

        When nobody is there it waits `ttl` seconds; 0: as long as the mailbox keeps messages.
        """
        report = await self._running_node.messenger.send(
            encode_object(message.to_dict()),
            api_key=message.get_api_key(),
            platform=target_platform or message.get_platform(),
            wait_for=wait_for,
            timeout=timeout,
            ttl=ttl,
        )
        return DeliveryResult(report)

    async def broadcast_message(
        self,
        message: APIMessageBase,
        platform: str | None = None,
        *,
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> DeliveryResult:
        """Send to every connection, or to those of one platform."""
        report = await self._running_node.messenger.broadcast(
            encode_object(message.to_dict()),
            platform=platform or "",
            wait_for=wait_for,
            timeout=timeout,
        )
        return DeliveryResult(report)

    async def send_custom_message(
        self,
        message_type: str,
        payload: dict[str, Any],
        target_user: str | None = None,
        target_platform: str | None = None,
        connection_uuid: str | None = None,
        *,
        wait_for: WaitFor = "written",
        timeout: float = DEFAULT_TIMEOUT,
        ttl: float = 0.0,
    ) -> DeliveryResult:
        """Send to whatever matches every target given; none at all means everyone."""
        report = await self._running_node.messenger.send_custom(
            message_type,
            encode_object(payload),
            user_id=target_user or "",
            platform=target_platform or "",
            connection_uuid=connection_uuid or "",
            wait_for=wait_for,
            timeout=timeout,
            ttl=ttl,
        )
        return DeliveryResult(report)

    def extract_user(self, api_key: str, platform: str = "") -> str:
        """Name the user of a key; raises `TypeError` when the callback is `async`."""
        callback = self.config.on_auth_extract_user
        if callback is None:
            return api_key
        answer = callback(views.outgoing(api_key, platform))
        if hasattr(answer, "__await__"):
            getattr(answer, "close", lambda: None)()
            raise TypeError("on_auth_extract_user is async: use await extract_user_async(…)")
        return str(answer)

    async def extract_user_async(self, api_key: str, platform: str = "") -> str:
        """Name the user of a key, whatever kind the callback is."""
        callback = self.config.on_auth_extract_user
        if callback is None:
            return api_key
        return str(await call(callback, views.outgoing(api_key, platform)))

    def get_connections(self) -> dict[str, dict[str, Any]]:
        """Every connection: id → what is known of it, the credential left out."""
        return {entry.uuid: views.info(entry) for entry in self._entries()}

    def get_user_connections(self, user_id: str) -> set[str]:
        """Ids of a user's connections."""
        return {entry.uuid for entry in self._entries(user_id=user_id)}

    def get_platform_connections(self, user_id: str, platform: str) -> set[str]:
        """Ids of a user's connections on one platform."""
        return {entry.uuid for entry in self._entries(user_id=user_id, platform=platform)}

    def get_connection_info(self, connection_uuid: str) -> dict[str, Any] | None:
        """What is known of one connection; None when there is none of that id."""
        entry = self._node.connections.get(connection_uuid) if self._node else None
        return views.info(entry) if entry is not None else None

    def get_user_count(self) -> int:
        """How many users have at least one connection."""
        return self._node.connections.user_count() if self._node else 0

    def get_connection_count(self) -> int:
        """How many connections there are."""
        return len(self._node.connections) if self._node else 0

    def get_stats(self) -> dict[str, Any]:
        """Numbers since the start; zeros before it."""
        return views.stats(self._node)

    def get_coroutine_status(self) -> dict[str, Any]:
        """What runs inside."""
        return views.coroutine_status(self._node, self.is_running(), self.config)

    def register_custom_handler(self, message_type: str, handler: Any) -> None:
        """Let a handler take the messages of a custom type, from now on."""
        self.config.register_custom_handler(message_type, handler)

    def unregister_custom_handler(self, message_type: str) -> None:
        """Forget the handler of a custom type."""
        self.config.unregister_custom_handler(message_type)

    def update_config(self, **changes: Any) -> None:
        """Change settings; callbacks count at once, addresses and files at the next start."""
        self.config.update(**changes)
        if self._node is not None:
            self._callbacks.install(self._node.hooks)

    @property
    def _running_node(self) -> Node:
        if self._node is None:
            raise NotRunning("the server is not started: await server.start() first")
        return self._node

    def _entries(self, user_id: str = "", platform: str = "") -> Sequence[Entry]:
        if self._node is None:
            return ()
        return self._node.connections.select(user_id=user_id, platform=platform)

    def _make_node(self) -> Node:
        loopback = is_loopback(self.config.host) and is_loopback(self._bridge_address)
        timeouts = ("hook_timeout", "handler_timeout")
        settings = build(RouterSettings, {name: getattr(self.config, name) for name in timeouts})
        node = build_node(self.config, settings, loopback=loopback)
        self._callbacks.install(node.hooks)
        return node

    def _make_edges(self, node: Node) -> Edges:
        if self._edge_workers is None:
            return InProcessEdge(node, edge_settings(self.config))
        router = views.router_settings(self._bridge_address)
        if self._edge_workers == 0:
            return ExternalEdges(node, router)
        return EdgeProcesses(node, router, edge_settings(self.config), self._edge_workers)

    @contextlib.contextmanager
    def _excused(self, caller: asyncio.Task[Any] | None) -> Iterator[None]:
        """Let the end not wait for a callback that waits for the end, nor cut it off."""
        with contextlib.ExitStack() as stack:
            if self._node is not None:
                stack.enter_context(self._node.handlers.excused(caller))
            if self._reports is not None:
                stack.enter_context(self._reports.excused(caller))
            yield

    async def _start(self) -> None:
        if self._edges is not None:
            raise ConfigError("the server is started already")
        self._callbacks.logger.setLevel(self.config.log_level)
        node = self._make_node()
        edges = self._make_edges(node)
        try:
            await edges.start()
        except BaseException:
            await _end(edges, node)
            raise
        self._node, self._edges = node, edges
        self._callbacks.logger.info("listening on %s", edges.url)
        self._reports = Reports(self.config, self.get_stats)
        self._reports.start()

    async def _stop(self) -> None:
        edges, self._edges = self._edges, None
        if edges is None:
            return
        if self._reports is not None:
            await self._reports.stop()
        await _end(edges, self._running_node)
        self._callbacks.logger.info("stopped")


async def _end(edges: Edges, node: Node) -> None:
    try:
        await edges.stop()
    finally:
        await node.stop()
