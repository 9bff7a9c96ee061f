"""A WebSocket protocol class for uvicorn on picows: from the handshake to its answer.

It knows nothing of our product. It looks at nothing before the upgrade is accepted, and can hand
the connection over to a listener (`websocket_direct`). `picows_socket` is what follows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.utils import ClientDisconnected, get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from maim_edge.websocket.asgi_receiver import AsgiReceiver
from maim_edge.websocket.interface import ABNORMAL, EARLY_BYTES, EXTENSION, DirectSocket, Listener
from maim_edge.websocket.keepalive import Keepalive
from maim_edge.websocket.memory_budget import MemoryBudget
from maim_edge.websocket.picows.server_context import ServerContext
from maim_edge.websocket.picows.socket import PicowsSocket
from maim_edge.websocket.upgrade import (
    BadUpgrade,
    Upgrade,
    accepted,
    error_response,
    read_upgrade,
    response,
)

Event = MutableMapping[str, Any]

INTERNAL_ERROR = 1011

log = logging.getLogger("maim_edge.websocket")
server_contexts: WeakKeyDictionary[ServerState, ServerContext] = WeakKeyDictionary()


class PicowsProtocol(asyncio.Protocol):
    """A class for `uvicorn.Config(ws=…)`. It offers no compression."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        memory: MemoryBudget | None = None,
    ) -> None:
        self._memory = memory
        self._config = config
        self._server = server_state
        self._connections: set[Any] = cast(Any, server_state.connections)
        self._app_state = app_state
        self._inbox = AsgiReceiver(config.ws_max_queue)
        self._early = bytearray()
        self._upgrade: Upgrade | None = None
        self._denial: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._body = b""
        self._answered = False
        self._socket: PicowsSocket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the connections of the server."""
        self.transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Begin with the head of the request; keep unread what comes behind it."""
        if self._upgrade is None and not self._answered:
            self._begin(data)
            return
        self._early += data
        if len(self._early) > EARLY_BYTES and self._socket is None:
            self.transport.pause_reading()

    def pause_writing(self) -> None:
        """Stop the application's sending."""
        (self._socket or self._inbox).pause_writing()

    def resume_writing(self) -> None:
        """Let the application send again."""
        (self._socket or self._inbox).resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application."""
        self._connections.discard(self)
        if self._socket is not None:
            self._socket.connection_lost(exc)
        self._answered = True
        self._inbox.end(ABNORMAL, "")

    def shutdown(self) -> None:
        """Refuse, as uvicorn asks when it stops."""
        self._answer_error()
        self.transport.close()

    def _begin(self, head: bytes) -> None:
        try:
            upgrade = self._upgrade = read_upgrade(head)
        except BadUpgrade as refused:
            self._answer(refused.response)
            return
        task = asyncio.get_running_loop().create_task(self._run(self._scope(upgrade)))
        task.add_done_callback(self._server.tasks.discard)
        self._server.tasks.add(task)

    def _scope(self, upgrade: Upgrade) -> dict[str, Any]:
        root_path = self._config.root_path
        return {
            "type": "websocket",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss" if is_ssl(self.transport) else "ws",
            "server": get_local_addr(self.transport),
            "client": get_remote_addr(self.transport),
            "root_path": root_path,
            "path": root_path + unquote(upgrade.raw_path.decode("latin-1")),
            "raw_path": root_path.encode() + upgrade.raw_path,
            "query_string": upgrade.query_string,
            "headers": upgrade.headers,
            "subprotocols": upgrade.subprotocols,
            "state": self._app_state.copy(),
            "extensions": {"websocket.http.response": {}, EXTENSION: self._hand_over},
        }

    async def _run(self, scope: dict[str, Any]) -> None:
        """Run the application; when it returns, its connection ends unless it has a listener."""
        code = INTERNAL_ERROR
        try:
            await self._config.loaded_app(scope, self._inbox.receive, self._send)
            code = 1000
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("the application failed")
        finally:
            self._answer_error()
            if self._socket is not None and self._socket.receives_for(self._inbox):
                self._socket.close(code, "")

    async def _send(self, event: Event) -> None:
        if self._socket is not None:
            await self._inbox.writable()
            self._send_open(event, self._socket)
        elif self._inbox.ended:
            raise ClientDisconnected
        elif self._denial is not None:
            self._send_denial(event)
        else:
            self._send_first(event)

    def _send_first(self, event: Event) -> None:
        match event["type"]:
            case "websocket.accept":
                self._accept(event)
            case "websocket.close":
                self._answer(response(HTTPStatus.FORBIDDEN, self._server.default_headers, b""))
            case "websocket.http.response.start":
                headers = [*self._server.default_headers, *event.get("headers", [])]
                self._denial = (event["status"], headers)
            case other:
                raise RuntimeError(f"expected an answer to the handshake, got {other!r}")

    def _send_denial(self, event: Event) -> None:
        if event["type"] != "websocket.http.response.body" or self._denial is None:
            raise RuntimeError(f"expected websocket.http.response.body, got {event['type']!r}")
        self._body += event.get("body", b"")
        if not event.get("more_body"):
            self._answer(response(*self._denial, self._body))

    def _send_open(self, event: Event, socket: PicowsSocket) -> None:
        if not socket.open:
            raise ClientDisconnected
        match event["type"]:
            case "websocket.send" if event.get("text") is not None:
                socket.send(event["text"].encode())
            case "websocket.send":
                socket.send_binary(event["bytes"])
            case "websocket.close":
                socket.close(event.get("code", 1000), event.get("reason") or "")
            case other:
                raise RuntimeError(f"expected websocket.send or websocket.close, got {other!r}")

    def _accept(self, event: Event) -> None:
        key = self._upgrade.key if self._upgrade is not None else b""
        headers = [*self._server.default_headers, *event.get("headers", [])]
        self._answered = True
        self.transport.write(accepted(key, headers, event.get("subprotocol")))
        if len(self._early) > EARLY_BYTES:
            self.transport.resume_reading()
        self._socket = PicowsSocket(self.transport, self._inbox, self._server_context())
        self._connections.discard(self)
        # Not now: who takes the connection over at once shall be ready for what came early.
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._pass_on, self._socket)

    def _pass_on(self, socket: PicowsSocket) -> None:
        early, self._early = bytes(self._early), bytearray()
        if self.transport.is_closing():
            return
        self.transport.set_protocol(cast(asyncio.BaseProtocol, socket))
        if early:
            socket.data_received(early)

    def _hand_over(self, listener: Listener) -> DirectSocket:
        if self._socket is None or not self._socket.receives_for(self._inbox):
            raise RuntimeError("expected an accepted WebSocket that nobody has taken over")
        self._socket.hand_over(self._inbox, listener)
        return self._socket

    def _answer(self, data: bytes) -> None:
        if self._answered:
            return
        self._answered = True
        self.transport.write(data)
        self.transport.close()
        self._inbox.end(ABNORMAL, "")

    def _answer_error(self) -> None:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        self._answer(error_response(status, status.phrase, self._server.default_headers))

    def _server_context(self) -> ServerContext:
        """Find what all WebSockets of this server share; the first one makes it."""
        context = server_contexts.get(self._server)
        if context is None:
            config = self._config
            interval = config.ws_ping_interval
            keepalive = Keepalive(interval, config.ws_ping_timeout) if interval else None
            memory = self._memory or MemoryBudget()
            context = ServerContext(self._connections, keepalive, config.ws_max_size, memory)
            server_contexts[self._server] = context
        return context
