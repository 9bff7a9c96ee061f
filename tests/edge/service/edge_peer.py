"""An edge on a free port with a scripted router, and what its clients say."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.frames import Frame, Opcode

from maim_edge.bridge import LocalBridge
from maim_edge.service.server import EdgeServer
from maim_edge.settings import EdgeSettings
from tests.edge.bridge.scripted_router import ScriptedRouter

SECONDS = 20.0
# Settings that every edge of a test has.
COMMON: dict[str, Any] = {}


@asynccontextmanager
async def running_edge(
    router: ScriptedRouter, on_order: Callable[[float], None] = lambda _: None, **settings: Any
) -> AsyncIterator[EdgeServer]:
    """Run an edge that is attached to a scripted router."""
    options: dict[str, Any] = {"port": 0, "admin_port": -1, "drain_window": 0.3} | COMMON | settings
    edge = EdgeServer(EdgeSettings(**options), LocalBridge(router.serve), on_order)
    await edge.start()
    try:
        async with asyncio.timeout(SECONDS):
            await edge.attached()
        yield edge
    finally:
        await edge.stop()


def payload(text: object = "hi", key: str = "bob", message_id: str = "x1") -> dict[str, Any]:
    """A standard message for `bob` on qq."""
    return {
        "message_info": {"platform": "qq", "message_id": message_id, "time": 1.0},
        "message_segment": {"type": "text", "data": text},
        "message_dim": {"api_key": key, "platform": "qq"},
    }


def standard(msg_id: str | None = "m1", text: object = "hi", **envelope: Any) -> str:
    """An envelope around `payload`."""
    frame = {"ver": 1, "msg_id": msg_id, "type": "sys_std", "meta": {}, "payload": payload(text)}
    return json.dumps(frame | envelope)


class RawClient:
    """A client that decides itself what it sends and whether it reads."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, edge: EdgeServer) -> RawClient:
        """Open the TCP connection and no more."""
        return cls(*await asyncio.open_connection("127.0.0.1", edge.port))

    def send(self, data: bytes) -> None:
        """Put bytes on the wire."""
        self.writer.write(data)

    async def head(self) -> str:
        """Read the head of an HTTP response."""
        async with asyncio.timeout(SECONDS):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def rest(self) -> bytes:
        """Read until the server ends the connection."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.read()

    async def frame(self) -> tuple[Opcode, bytes]:
        """Read one frame of the server."""
        async with asyncio.timeout(SECONDS):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2))
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8))
            return Opcode(first & 15), await self.reader.readexactly(length)

    async def aclose(self) -> None:
        """Close the TCP connection."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


def handshake(target: str = "/ws?api_key=alice&platform=qq", *headers: str) -> bytes:
    """The bytes of an upgrade request."""
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: edge",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def text_frame(text: str | bytes, *, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    """The bytes of a client's frame."""
    data = text.encode() if isinstance(text, str) else text
    return Frame(opcode, data, fin).serialize(mask=True)


async def silent_client(edge: EdgeServer) -> RawClient:
    """A client that is let in and then does not read."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", edge.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1024)
    client = RawClient(reader, writer)
    client.send(handshake())
    await client.head()
    transport: Any = writer.transport
    transport.pause_reading()
    return client
