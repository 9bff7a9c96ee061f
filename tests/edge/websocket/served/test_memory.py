"""What picows keeps for a connection: little, whatever was sent through it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.frames import Opcode

from maim_edge.websocket.picows.protocol import PicowsProtocol
from tests.edge.service.edge_peer import RawClient, text_frame
from tests.edge.websocket.served.site import Recorder, Site, serving

# picows' smallest buffer, without the part that it leaves free.
SMALL = 2048


@asynccontextmanager
async def pair(**config: Any) -> AsyncIterator[tuple[Site, RawClient, Recorder]]:
    async with serving(PicowsProtocol, **config) as site:
        client, listener = await site.pair()
        yield site, client, listener


def buffered(listener: Recorder) -> int:
    socket: Any = listener.socket
    return len(socket._reader._protocol.get_buffer(-1))


async def test_a_flood_of_small_messages_grows_no_buffer() -> None:
    async with pair() as (_, client, listener):
        client.send(text_frame(b"x" * 400) * 20_000)
        await listener.until(lambda: len(listener.messages) == 20_000)
        assert buffered(listener) <= SMALL


async def test_the_buffer_of_a_large_message_is_given_back() -> None:
    async with pair() as (_, client, listener):
        for opcode in (Opcode.TEXT, Opcode.BINARY):
            client.send(text_frame(b"x" * 5_000_000, opcode=opcode))
            await listener.until(lambda: listener.messages)
            assert len(listener.messages.pop()) == 5_000_000
            assert buffered(listener) <= SMALL
        client.send(text_frame(b"x" * 5_000_000, fin=False))
        client.send(text_frame(b"y" * 2_000_000, opcode=Opcode.CONT))
        await listener.until(lambda: listener.messages)
        assert len(listener.messages.pop()) == 7_000_000
        assert buffered(listener) <= SMALL


async def test_what_stands_behind_a_large_message_is_not_lost_with_its_buffer() -> None:
    async with pair() as (_, client, listener):
        behind = text_frame("second")
        client.send(text_frame(b"x" * 5_000_000) + behind[:3])
        await listener.until(lambda: listener.messages)
        client.send(behind[3:])
        await listener.until(lambda: len(listener.messages) == 2)
        assert listener.messages[1] == b"second"


async def test_a_middling_buffer_is_given_back_with_the_next_pong() -> None:
    async with pair(ws_ping_interval=0.03, ws_ping_timeout=20) as (_, client, listener):
        client.send(text_frame(b"x" * 100_000))
        await listener.until(lambda: listener.messages)
        assert buffered(listener) > 100_000
        while buffered(listener) > SMALL:
            assert (await client.frame())[0] is Opcode.PING
            client.send(text_frame(b"", opcode=Opcode.PONG))
        client.send(text_frame("behind"))
        await listener.until(lambda: len(listener.messages) == 2)


async def test_nothing_of_the_handshake_stays_with_a_connection() -> None:
    async with pair() as (site, _, listener):
        socket: Any = listener.socket
        assert site.connections == {socket}
        assert socket._reader.writer.request.headers is None
        assert not hasattr(socket, "__dict__")
        assert sys.getsizeof(socket) < 200
