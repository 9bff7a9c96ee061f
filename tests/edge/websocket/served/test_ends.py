"""How a WebSocket that belongs to a listener ends: by the peer, from here, or not at all well."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from tests.edge.service.edge_peer import text_frame
from tests.edge.websocket.served.site import ProtocolClass, close, close_code, serving, stuffed


async def test_a_peers_close_is_answered_and_told_with_its_code(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        for code, reason in ((1000, ""), (1001, "moved"), (4400, "wréng")):
            client, listener = await site.pair()
            client.send(text_frame("last") + close(code, reason) + text_frame("behind"))
            assert await listener.end() == (code, reason)
            assert listener.messages == [b"last"]
            assert await close_code(client) == code
            assert await client.rest() == b""


async def test_a_close_without_a_code_is_1005(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame(b"", opcode=Opcode.CLOSE))
        assert await listener.end() == (1005, "")
        assert await client.frame() == (Opcode.CLOSE, b"")


@pytest.mark.parametrize(
    "begun",
    [b"", text_frame("a", fin=False), text_frame("whole")[:-1]],
    ids=["between frames", "between fragments", "within a frame"],  # masks are random
)
async def test_a_lost_peer_is_1006(ws: ProtocolClass, begun: bytes) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame("last") + begun)
        await client.aclose()
        assert await listener.end() == (1006, "")
        assert listener.messages == [b"last"]


async def test_a_close_from_here_comes_behind_what_was_sent(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        async with connect(f"ws://127.0.0.1:{site.port}/direct") as conn:
            listener = await site.listener()
            listener.socket.send(b"small")
            listener.socket.send(b"x" * 900_000)
            listener.socket.close(4409, "replaced")
            listener.socket.send(b"late")
            listener.socket.send_all([b"late"])
            listener.socket.send_piece(b"late", first=True, last=True)
            got = []
            with suppress(ConnectionClosed):
                while True:
                    got.append(len(await conn.recv()))
        assert (conn.close_code, conn.close_reason) == (4409, "replaced")
        assert got == [5, 900_000]
        assert await listener.end() == (4409, "replaced")


async def test_what_comes_after_a_close_from_here_is_not_heard(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        listener.socket.close(1001, "")
        assert await close_code(client) == 1001
        client.send(text_frame("late") + text_frame("later", fin=False) + close(1001))
        assert await listener.end() == (1001, "")
        assert listener.messages == []
        assert await client.rest() == b""


@pytest.mark.usefixtures("_no_patience")
async def test_a_peer_that_does_not_answer_a_close_is_dropped(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        _, listener = await site.pair()
        listener.socket.close(4400, "")
        assert await listener.end() == (1006, "")


@pytest.mark.usefixtures("_no_patience")
async def test_a_peer_that_reads_nothing_may_not_stay_after_a_close(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
        listener.socket.close(4400, "")
        assert await listener.end() == (1006, "")
        client.writer.transport.abort()


async def test_an_abort_needs_no_answer(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
        listener.socket.abort()
        assert await listener.end() == (1006, "")
        listener.socket.abort()
        listener.socket.close(1000, "")
        listener.socket.send(b"late")
        assert listener.socket.pending_bytes == 0
        client.writer.transport.abort()


async def test_the_end_is_told_once_and_nothing_after_it(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(close(1000))
        await listener.end()
        await client.rest()
        for _ in range(5):
            listener.socket.close(1001, "")
            listener.socket.pause_reading()
            listener.socket.resume_reading()
            listener.socket.abort()
            await asyncio.sleep(0)
        assert listener.closed == [(1000, "")]


async def test_an_end_before_the_hand_over_is_told_after_it(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        site.may_take.clear()
        client = await site.client()
        client.send(text_frame("last") + close(4001, "gone"))
        assert await close_code(client) == 4001
        site.may_take.set()
        listener = await site.listener()
        assert await listener.end() == (4001, "gone")
        assert listener.messages == [b"last"]


async def test_a_server_that_stops_takes_its_leave_with_1012(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
    assert await close_code(client) == 1012
    assert await listener.end() == (1012, "")


async def test_an_application_that_returned_does_not_hold_a_server_that_stops(
    ws: ProtocolClass,
) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
    assert await listener.end() == (1012, "")
    client.writer.transport.abort()
