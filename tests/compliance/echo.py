"""A FastAPI application that sends back what it hears: through ASGI, and by a direct listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket

from maim_edge.http_protocol import EdgeHttpProtocol
from maim_edge.websocket_direct import DirectSocket, hand_over
from maim_protocol.http_server import HttpServer, bind, bound_port

# Autobahn's largest message has 16 MiB.
MAX_SIZE = 64 * 1024 * 1024
STOP_SECONDS = 1.0


class Echo:
    """A listener that answers each message with itself; all of them are text to it."""

    socket: DirectSocket

    def on_message(self, data: bytes) -> None:
        """Answer; one that is too large to have been looked at closes if it is not UTF-8."""
        try:
            data.decode()
        except UnicodeDecodeError:
            self.socket.close(1007, "not UTF-8")
        else:
            self.socket.send(data)

    def pause_writing(self) -> None:
        """Read nothing that could not be answered."""
        self.socket.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.socket.resume_reading()

    def on_broken(self, code: int, reason: str) -> bytes | None:
        """Have no last words."""
        return None

    def on_closed(self, code: int, reason: str) -> None:
        """Leave nothing behind."""


def create_app() -> FastAPI:
    """Make the application: `/asgi` and `/direct`."""
    app = FastAPI()

    @app.websocket("/asgi")
    async def asgi(websocket: WebSocket) -> None:
        await websocket.accept()
        while (event := await websocket.receive())["type"] == "websocket.receive":
            parts = {name: event[name] for name in ("text", "bytes") if event.get(name) is not None}
            await websocket.send({"type": "websocket.send", **parts})

    @app.websocket("/direct")
    async def direct(websocket: WebSocket) -> None:
        await websocket.accept()
        listener = Echo()
        listener.socket = hand_over(websocket.scope, listener)

    return app


@asynccontextmanager
async def echoing(protocol: type[asyncio.Protocol] | str) -> AsyncIterator[str]:
    """Serve on a free port with a protocol class; gives `ws://127.0.0.1:PORT`."""
    server = HttpServer()
    sock = bind("127.0.0.1", 0)
    port = bound_port(sock)
    await server.start(
        create_app(),
        sock,
        http=EdgeHttpProtocol,
        ws_protocol_class=protocol,
        ws_max_size=MAX_SIZE,
        ws_ping_interval=None,
    )
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        await server.stop(STOP_SECONDS)
