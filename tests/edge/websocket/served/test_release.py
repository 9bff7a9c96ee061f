"""What belonged to a connection is gone with it, without the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.server import ServerProtocol

from maim_edge.websocket.picows.reader import PicowsReader
from maim_edge.websocket.picows.socket import PicowsSocket
from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from tests.edge.websocket.served.site import ProtocolClass, Site, serving

END = ["closed", "lost", "violation"]
# What holds the buffers of a connection.
HOLDERS = (PicowsSocket, PicowsReader, EdgeWebSocketProtocol, ServerProtocol)


@pytest.fixture
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def holders() -> int:
    return sum(type(one) in HOLDERS for one in gc.get_objects())


async def converse(site: Site, end: str) -> None:
    """Open a connection, send and receive, and end it."""
    async with connect(f"ws://127.0.0.1:{site.port}/direct") as conn:
        listener = await site.listener()
        await conn.send("hello")
        await listener.until(lambda: listener.messages)
        listener.socket.send(b"answer")
        assert await conn.recv() == "answer"
        if end == "lost":
            conn.transport.abort()
        elif end == "violation":
            conn.transport.write(b"\xff\xff")
            with suppress(ConnectionClosed):
                await conn.recv()
    await listener.end()
    del listener.socket


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("end", END)
@pytest.mark.parametrize("compressed", [False, True])
async def test_a_connection_that_ended_is_freed_at_once(
    ws: ProtocolClass, end: str, compressed: bool
) -> None:
    before = holders()
    async with serving(ws, ws_per_message_deflate=compressed) as site:
        await converse(site, end)
        async with asyncio.timeout(10):
            while holders() > before:  # noqa: ASYNC110 - nobody tells when something is freed
                await asyncio.sleep(0)
