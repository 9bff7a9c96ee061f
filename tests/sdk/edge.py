"""A small real WebSocket server that plays the edge, as a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

T = TypeVar("T")
PATIENCE_SECONDS = 5.0

MESSAGE = {
    "message_info": {"platform": "qq", "message_id": "m", "time": 1.5},
    "message_segment": {"type": "text", "data": "你好"},
    "message_dim": {"api_key": "k", "platform": "qq"},
}


class Edge:
    """Takes connections, records what clients send, acknowledges unless told not to."""

    def __init__(self) -> None:
        self.acknowledging = True
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.on_open: Callable[[ServerConnection], Any] | None = None
        self.handshakes: list[Headers] = []
        self.paths: list[str] = []
        self.links: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.acks: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed: asyncio.Queue[int | None] = asyncio.Queue()
        self.port = 0
        self.scheme = "ws"

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/ws"

    async def next_link(self) -> ServerConnection:
        return await soon(self.links.get())

    async def next_message(self) -> dict[str, Any]:
        return await soon(self.messages.get())

    async def next_ack(self) -> dict[str, Any]:
        return await soon(self.acks.get())

    async def next_close(self) -> int | None:
        return await soon(self.closed.get())

    def refuse(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.refusals.append((status, named, body))

    def process_request(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request.headers)
        self.paths.append(request.path)
        if not self.refusals:
            return None
        status, headers, body = self.refusals.pop(0)
        length = {"Content-Length": str(len(body))}
        return Response(status, HTTPStatus(status).phrase, Headers({**headers, **length}), body)

    async def handle(self, link: ServerConnection) -> None:
        self.links.put_nowait(link)
        if self.on_open is not None:
            await self.on_open(link)
        with contextlib.suppress(ConnectionClosed):
            async for text in link:
                await self.take(link, json.loads(text))
        self.closed.put_nowait(link.protocol.close_code)

    async def take(self, link: ServerConnection, frame: dict[str, Any]) -> None:
        if frame["type"] == "sys_ack":
            self.acks.put_nowait(frame)
            return
        self.messages.put_nowait(frame)
        if self.acknowledging:
            await send(link, "sys_ack", {}, {"acked_msg_id": frame["msg_id"]}, "ack")


async def send(
    link: ServerConnection,
    kind: str,
    payload: Any,
    meta: dict[str, Any] | None = None,
    msg_id: str | None = None,
) -> None:
    frame = {"ver": 1, "msg_id": msg_id, "type": kind, "meta": meta or {}, "payload": payload}
    await link.send(json.dumps(frame, ensure_ascii=False))


async def soon(awaitable: Awaitable[T]) -> T:
    """Wait for what must happen, no longer than a test has patience."""
    return await asyncio.wait_for(awaitable, PATIENCE_SECONDS)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so that no event tells of."""
    clock = asyncio.get_running_loop().time
    end = clock() + PATIENCE_SECONDS
    while not condition():
        assert clock() < end
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def running_edge(tls: ssl.SSLContext | None = None) -> AsyncIterator[Edge]:
    edge = Edge()
    server: Server
    async with serve(
        edge.handle, "localhost", 0, process_request=edge.process_request, ssl=tls, max_size=2**20
    ) as server:
        edge.port = next(iter(server.sockets)).getsockname()[1]
        edge.scheme = "ws" if tls is None else "wss"
        yield edge
