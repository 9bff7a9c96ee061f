"""A small FastAPI application on one of the protocol classes, and listeners that remember."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, WebSocket
from websockets.frames import Close, Opcode

from maim_edge.websocket.http_protocol import EdgeHttpProtocol
from maim_edge.websocket.interface import DirectSocket, hand_over
from maim_edge.websocket.picows.protocol import PicowsProtocol
from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from maim_runtime.http.server import HttpServer, bind, bound_port
from tests.edge.service.edge_peer import RawClient, handshake, text_frame

SECONDS = 20.0
CLASSES = {"picows": PicowsProtocol, "websockets-sansio": EdgeWebSocketProtocol}
ProtocolClass = type[asyncio.Protocol]


class Recorder:
    """A listener that remembers; `on_message` may be replaced to do more."""

    socket: DirectSocket

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.calls: list[str] = []
        self.broken: list[tuple[int, str]] = []
        self.closed: list[tuple[int, str]] = []
        self.protocol_error_message: bytes | None = None
        self._changed = asyncio.Event()

    def on_message(self, data: bytes) -> None:
        """Remember a message."""
        self.messages.append(data)
        self._changed.set()

    def pause_writing(self) -> None:
        """Remember."""
        self._note("pause_writing")

    def resume_writing(self) -> None:
        """Remember."""
        self._note("resume_writing")

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        """Remember, and say the last words."""
        self.broken.append((code, reason))
        return self.protocol_error_message

    def on_ping(self) -> None:
        """Remember."""
        self._note("on_ping")

    def on_pong(self) -> None:
        """Remember."""
        self._note("on_pong")

    def on_closed(self, code: int, reason: str) -> None:
        """Remember the end."""
        self.closed.append((code, reason))
        self._changed.set()

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(SECONDS):
            while not fact():
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> tuple[int, str]:
        """Wait for the end."""
        await self.until(lambda: self.closed)
        return self.closed[0]

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self._changed.set()


class Echo(Recorder):
    """A listener that sends back what it hears."""

    def on_message(self, data: bytes) -> None:
        """Remember and answer."""
        super().on_message(data)
        self.socket.send(data)


class Site:
    """A server and who listens to its WebSockets."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        self.port = 0
        self.listeners: asyncio.Queue[Recorder] = asyncio.Queue()
        self.may_take = asyncio.Event()
        self.may_take.set()
        self._make = make
        self.connections: set[Any] = set()
        self._clients: list[RawClient] = []

    async def listener(self) -> Recorder:
        """Wait for the next WebSocket to be handed over."""
        async with asyncio.timeout(SECONDS):
            return await self.listeners.get()

    async def client(self, target: str = "/direct") -> RawClient:
        """Open a WebSocket by hand."""
        client = await self.tcp()
        client.send(handshake(target))
        assert (await client.head()).startswith("HTTP/1.1 101 ")
        return client

    async def tcp(self) -> RawClient:
        """Open a TCP connection."""
        return self.keep(RawClient(*await asyncio.open_connection("127.0.0.1", self.port)))

    def keep(self, client: RawClient) -> RawClient:
        """Remember a client for the end."""
        self._clients.append(client)
        return client

    async def empty(self) -> None:
        """Wait until the server has no connection left."""
        async with asyncio.timeout(SECONDS):
            while self.connections:  # noqa: ASYNC110 - uvicorn tells nobody
                await asyncio.sleep(0)

    async def leave(self) -> None:
        """Drop the clients."""
        for client in self._clients:
            client.writer.transport.abort()
            with suppress(ConnectionError):
                await client.writer.wait_closed()

    async def pair(self) -> tuple[RawClient, Recorder]:
        """Open a WebSocket by hand; returns its two ends."""
        return await self.client(), await self.listener()

    def app(self) -> FastAPI:
        """Make the application: `/direct` hands over when it may."""
        app = FastAPI()

        @app.websocket("/direct")
        async def direct(websocket: WebSocket) -> None:
            await websocket.accept()
            await self.may_take.wait()
            listener = self._make()
            listener.socket = hand_over(websocket.scope, listener)
            self.listeners.put_nowait(listener)

        return app


@asynccontextmanager
async def serving(
    ws: ProtocolClass,
    make: Callable[[], Recorder] = Recorder,
    app: Any = None,
    ssl_context: ssl.SSLContext | None = None,
    **config: Any,
) -> AsyncIterator[Site]:
    """Serve `/direct`, or an application of the test's own."""
    site = Site(make)
    options: dict[str, Any] = {"ws_ping_interval": None, "ws_per_message_deflate": False}
    server, sock = HttpServer(), bind("127.0.0.1", 0)
    site.port = bound_port(sock)
    await server.start(
        app or site.app(),
        sock,
        ssl_context=ssl_context,
        http=EdgeHttpProtocol,
        ws_protocol_class=ws,
        **options | config,
    )
    running: Any = server._server
    site.connections = running.server_state.connections
    try:
        yield site
    finally:
        await server.stop(0.1)
        await site.leave()


async def stuffed(site: Site) -> tuple[RawClient, Recorder]:
    """Open a WebSocket whose client does not read, and write until the listener is told."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", site.port))
    client = site.keep(RawClient(*await asyncio.open_connection(sock=sock, limit=1024)))
    client.send(handshake("/direct"))
    await client.head()
    transport: Any = client.writer.transport
    transport.pause_reading()
    listener = await site.listener()
    while not listener.calls:
        listener.socket.send(b"x" * 60_000)
    return client, listener


def close(code: int, reason: str = "") -> bytes:
    """The bytes of a client's close frame."""
    return text_frame(Close(code, reason).serialize(), opcode=Opcode.CLOSE)


async def close_code(client: RawClient) -> int:
    """Read up to a close frame; returns its code, 1005 for none."""
    while (got := await client.frame())[0] is not Opcode.CLOSE:
        pass
    return int.from_bytes(got[1][:2]) if got[1] else 1005
