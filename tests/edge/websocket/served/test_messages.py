"""Messages of a WebSocket that belongs to a listener, in both directions."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Opcode

from maim_edge.websocket.interface import UNCHECKED_BYTES
from tests.edge.service.edge_peer import handshake, text_frame
from tests.edge.websocket.served.site import Echo, ProtocolClass, serving

SIZES = [0, 1, 125, 126, 127, 999, 1000, 1001, 2000, 65535, 65536, 300_000, 3_000_000]


async def test_messages_of_every_size_pass_in_both_directions(ws: ProtocolClass) -> None:
    async with serving(ws, Echo) as site:
        async with connect(f"ws://127.0.0.1:{site.port}/direct", max_size=None) as conn:
            for size in SIZES:
                await conn.send("x" * size)
                assert await conn.recv() == "x" * size


async def test_what_is_sent_in_one_go_comes_message_by_message(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        sent = [b"%d" % index * (index % 700) for index in range(3000)]
        client.send(b"".join(map(text_frame, sent)))
        await listener.until(lambda: len(listener.messages) == len(sent))
        assert listener.messages == sent


async def test_a_message_that_comes_byte_by_byte_is_one(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        for byte in text_frame("hé" * 80) + text_frame("second"):
            client.send(bytes([byte]))
            await client.writer.drain()
            await asyncio.sleep(0)
        await listener.until(lambda: len(listener.messages) == 2)
        assert listener.messages == [("hé" * 80).encode(), b"second"]


async def test_messages_are_bytes_whatever_they_came_in(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame("é") + text_frame(b"\xff", opcode=Opcode.BINARY))
        client.send(text_frame(b"\xc3", fin=False) + text_frame(b"\xa9", opcode=Opcode.CONT))
        await listener.until(lambda: len(listener.messages) == 3)
        assert listener.messages == ["é".encode(), b"\xff", "é".encode()]
        assert {type(message) for message in listener.messages} <= {bytes, bytearray}


async def test_control_frames_pass_between_fragments(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame("a", fin=False))
        client.send(text_frame(b"1", opcode=Opcode.PING))
        client.send(text_frame("", opcode=Opcode.CONT, fin=False) * 1000)
        client.send(text_frame(b"2", opcode=Opcode.PING))
        client.send(text_frame("b", opcode=Opcode.CONT))
        assert [await client.frame(), await client.frame()] == [
            (Opcode.PONG, b"1"),
            (Opcode.PONG, b"2"),
        ]
        await listener.until(lambda: listener.messages)
        assert listener.messages == [b"ab"]


async def test_a_large_text_reaches_the_listener_unchecked(ws: ProtocolClass) -> None:
    wrong = b"\xff" * (UNCHECKED_BYTES + 1)
    half = len(wrong) // 2
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame(wrong))
        client.send(text_frame(b"x" * half, fin=False))
        client.send(text_frame(wrong[half:], opcode=Opcode.CONT))
        await listener.until(lambda: len(listener.messages) == 2)
        assert listener.messages[0] == wrong
        assert listener.messages[1] == b"x" * half + wrong[half:]


async def test_several_messages_of_one_write_come_in_order(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        sent = [b"x" * size for size in (0, 125, 126, 70_000)]
        listener.socket.send(b"before")
        listener.socket.send_all(sent)
        listener.socket.send(b"after")
        got = [(await client.frame())[1] for _ in range(6)]
        assert got == [b"before", *sent, b"after"]


async def test_pieces_are_fragments_of_one_message(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        async with connect(f"ws://127.0.0.1:{site.port}/direct", max_size=None) as conn:
            socket = (await site.listener()).socket
            for index in range(10):
                socket.send_piece(b"%d" % index * 100_000, first=index == 0, last=index == 9)
            socket.send(b"next")
            assert await conn.recv() == "".join(str(index) * 100_000 for index in range(10))
            assert await conn.recv() == "next"


async def test_a_stream_to_a_slow_reader_stays_whole(ws: ProtocolClass) -> None:
    """picows' own `send` writes a head where another waits to be written."""
    sizes = [size for start in range(10) for size in range(7000 + start, 300_000, 9001)]
    async with serving(ws) as site:
        client, listener = await site.pair()
        for size in sizes:
            listener.socket.send(b"x" * size)
            listener.socket.send(b"small")
        for size in sizes:
            assert len((await client.frame())[1]) == size
            assert (await client.frame())[1] == b"small"


@pytest.mark.parametrize("split", [None, 5, -3])
async def test_what_is_sent_early_is_heard_in_order(ws: ProtocolClass, split: int | None) -> None:
    early = b"".join(text_frame(b"%d" % index * 20) for index in range(5))
    async with serving(ws) as site:
        site.may_take.clear()
        client = await site.tcp()
        client.send(handshake("/direct") + (early if split is None else early[:split]))
        await client.head()
        if split is not None:
            client.send(early[split:])
        site.may_take.set()
        client.send(text_frame("late"))
        listener = await site.listener()
        await listener.until(lambda: len(listener.messages) == 6)
        assert listener.messages == [b"%d" % index * 20 for index in range(5)] + [b"late"]


async def test_nothing_is_heard_from_within_the_hand_over(ws: ProtocolClass) -> None:
    class Strict(Echo):
        def on_message(self, data: bytes) -> None:
            super().on_message(data)  # fails when `socket` is not there yet

    async with serving(ws, Strict) as site:
        client = await site.tcp()
        client.send(handshake("/direct") + text_frame("early"))
        await client.head()
        assert await client.frame() == (Opcode.TEXT, b"early")
