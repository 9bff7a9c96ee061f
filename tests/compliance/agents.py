"""The echo servers that the fuzzing client tests, each a protocol class in one way of use.

`python -m tests.compliance.agents` serves them, prints their addresses as one line of JSON and
ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from typing import Any

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from maim_edge.websocket.http_protocol import EdgeHttpProtocol
from maim_edge.websocket.interface import DirectSocket, hand_over
from maim_edge.websocket.picows.protocol import PicowsProtocol
from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from maim_runtime.http.server import HttpServer, bind, bound_port

DIRECT, ASGI = "/direct", "/asgi"
AGENTS: dict[str, tuple[type[asyncio.Protocol], str]] = {
    "picows, direct": (PicowsProtocol, DIRECT),
    "picows, ASGI": (PicowsProtocol, ASGI),
    "websockets-sansio, direct": (EdgeWebSocketProtocol, DIRECT),
    "uvicorn websockets-sansio": (WebSocketsSansIOProtocol, ASGI),
}
MAX_MESSAGE_BYTES = 64 << 20


class Echo:
    """A listener that sends back what it hears, as text: a listener is not told what it was."""

    socket: DirectSocket

    def on_message(self, data: bytes) -> None:
        """Answer."""
        self.socket.send(data)

    def pause_writing(self) -> None:
        """Let the transport keep what waits."""

    def resume_writing(self) -> None:
        """Need nothing."""

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        """Have no last words."""

    def on_ping(self) -> None:
        """Need nothing."""

    def on_pong(self) -> None:
        """Need nothing."""

    def on_closed(self, code: int, reason: str) -> None:
        """Need nothing."""


def application() -> FastAPI:
    """Echo on `/direct` after the hand-over, on `/asgi` without one."""
    app = FastAPI()

    @app.websocket(DIRECT)
    async def direct(websocket: WebSocket) -> None:
        await websocket.accept()
        echo = Echo()
        echo.socket = hand_over(websocket.scope, echo)

    @app.websocket(ASGI)
    async def asgi(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while (event := await websocket.receive())["type"] == "websocket.receive":
                await websocket.send(event | {"type": "websocket.send"})

    return app


async def serve() -> None:
    """Serve every agent until standard input ends."""
    servers, addresses = [], {}
    for name, (ws, path) in AGENTS.items():
        server, sock = HttpServer(), bind("127.0.0.1", 0)
        addresses[name] = f"ws://127.0.0.1:{bound_port(sock)}{path}"
        options: dict[str, Any] = {"ws_max_size": MAX_MESSAGE_BYTES, "log_level": "critical"}
        await server.start(
            application(),
            sock,
            http=EdgeHttpProtocol,
            ws_protocol_class=ws,
            ws_per_message_deflate=False,
            **options,
        )
        servers.append(server)
    print(json.dumps(addresses), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for server in servers:
        await server.stop(0.1)


if __name__ == "__main__":
    if sys.platform != "win32":
        import uvloop

        uvloop.run(serve())
    else:
        asyncio.run(serve())
