"""Peers that break the protocol: the code, the last words, and that they can be read."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from tests.edge.service.edge_peer import handshake, text_frame
from tests.edge.websocket.served.site import Echo, ProtocolClass, close, close_code, serving

MASK = b"\x00\x00\x00\x00"
CONT = text_frame("x", opcode=Opcode.CONT)
BEGUN = text_frame("x", fin=False)


def raw(first: int, second: int, rest: bytes = MASK) -> bytes:
    return bytes([first, second]) + rest


BROKEN = {
    "a reserved bit": raw(0xC1, 0x80),
    "another reserved bit": raw(0xA1, 0x80),
    "the third reserved bit": raw(0x91, 0x80),
    "a reserved bit of a ping": raw(0xC9, 0x80),
    "an unknown opcode": raw(0x83, 0x80),
    "an unknown control opcode": raw(0x8B, 0x80),
    "no mask": raw(0x81, 0x01, b"x"),
    "a continuation of nothing": CONT,
    "a message within a message": BEGUN + text_frame("y"),
    "a fragment that begins within a message": BEGUN + text_frame("y", fin=False),
    "a fragmented ping": raw(0x09, 0x80),
    "a large ping": raw(0x89, 0xFE, b"\x00\x7e" + MASK + b"x" * 126),
    "half a close code": text_frame(b"\x03", opcode=Opcode.CLOSE),
    **{
        f"close code {code}": text_frame(code.to_bytes(2), opcode=Opcode.CLOSE)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
}
NOT_UTF8 = {
    "text": text_frame(b"\xff"),
    "text that is cut": text_frame(b"\xe4\xbd"),
    "a surrogate": text_frame(b"\xed\xa0\x80"),
    "over two fragments": text_frame(b"\xe4", fin=False) + text_frame(b"x", opcode=Opcode.CONT),
    "cut at the end": text_frame(b"\xe4", fin=False) + text_frame(b"", opcode=Opcode.CONT),
    "the reason of a close": text_frame(b"\x03\xe8\xff", opcode=Opcode.CLOSE),
}


async def test_what_the_rfc_forbids_is_ended_with_1002(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        for name, sent in BROKEN.items():
            client, listener = await site.pair()
            client.send(sent)
            code, reason = await listener.end()
            assert (code, listener.broken) == (1002, [(1002, reason)]), name
            assert await close_code(client) == 1002, name


async def test_text_that_is_not_utf8_is_ended_with_1007(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        for name, sent in NOT_UTF8.items():
            client, listener = await site.pair()
            client.send(sent)
            assert ((await listener.end())[0], listener.messages) == (1007, []), name
            assert await close_code(client) == 1007, name


async def test_text_is_judged_fragment_by_fragment(ws: ProtocolClass) -> None:
    if ws is EdgeWebSocketProtocol:
        pytest.skip("websockets judges when the message is whole")
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(text_frame(b"\xce\xba", fin=False))
        client.send(text_frame(b"\xff", opcode=Opcode.CONT, fin=False))
        assert (await listener.end())[0] == 1007


async def test_a_length_that_no_message_has_is_ended(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(raw(0x82, 0xFF, b"\x80" + b"\x00" * 7 + MASK))
        assert (await listener.end())[0] in (1002, 1009)


@pytest.mark.parametrize(
    "sent",
    [
        text_frame("x" * 1001),
        raw(0x81, 0xFF, (1 << 40).to_bytes(8)),
        text_frame("x" * 600, fin=False) + text_frame("x" * 600, opcode=Opcode.CONT, fin=False),
        text_frame("", fin=False) + text_frame("x" * 10, opcode=Opcode.CONT, fin=False) * 101,
    ],
    ids=["one frame", "the head of one", "fragments", "many fragments"],
)
async def test_a_message_over_the_limit_is_ended_with_1009(ws: ProtocolClass, sent: bytes) -> None:
    async with serving(ws, ws_max_size=1000) as site:
        client, listener = await site.pair()
        client.send(text_frame("x" * 1000) + sent)
        assert (await listener.end())[0] == 1009
        assert "1000" in listener.broken[0][1]
        assert [len(message) for message in listener.messages] == [1000]
        assert await close_code(client) == 1009


async def test_what_came_before_a_broken_frame_is_heard_and_answered(ws: ProtocolClass) -> None:
    async with serving(ws, Echo) as site:
        client, listener = await site.pair()
        listener.protocol_error_message = b"farewell"
        client.send(text_frame("first") + text_frame("second") + b"\x83\x80" + text_frame("third"))
        assert [(await client.frame())[1] for _ in range(3)] == [b"first", b"second", b"farewell"]
        assert await close_code(client) == 1002
        assert (await listener.end())[0] == 1002
        assert listener.messages == [b"first", b"second"]


@pytest.mark.parametrize("paused", [False, True])
async def test_last_words_are_read_in_the_midst_of_a_frame_over_the_limit(
    ws: ProtocolClass, paused: bool
) -> None:
    async with serving(ws, ws_max_size=1000) as site:
        client, listener = await site.pair()
        listener.protocol_error_message = b"too large"
        # It goes on sending for as long as the kernel takes it, as a client does.
        client.send(text_frame("first") + text_frame(b"x" * 20_000_000))
        await client.writer.drain()
        if paused:
            listener.socket.pause_reading()
        assert await client.frame() == (Opcode.TEXT, b"too large")
        assert await close_code(client) == 1009
        await client.aclose()
        if paused:
            listener.socket.resume_reading()
        await listener.end()


async def test_there_is_no_room_for_last_words_between_pieces(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        listener.protocol_error_message = b"farewell"
        listener.socket.send_piece(b"begun", first=True, last=False)
        client.send(b"\x83\x80")
        await listener.end()
        assert await client.frame() == (Opcode.TEXT, b"begun")
        assert (await client.frame())[0] is Opcode.CLOSE


async def test_a_peer_that_breaks_the_protocol_after_our_close_is_dropped(
    ws: ProtocolClass,
) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        listener.socket.close(4400, "")
        client.send(b"\x83\x80\x00\x00")
        assert (await listener.end())[0] in (1002, 1006)
        assert listener.broken == []
        await client.rest()


async def test_early_data_that_breaks_the_protocol_is_ended_after_the_hand_over(
    ws: ProtocolClass,
) -> None:
    async with serving(ws) as site:
        client = await site.tcp()
        client.send(handshake("/direct") + text_frame("early") + b"\x83\x80")
        assert "101" in await client.head()
        listener = await site.listener()
        assert (await listener.end())[0] == 1002
        assert listener.messages == [b"early"]
        assert await close_code(client) == 1002


async def test_a_second_close_frame_changes_nothing(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await site.pair()
        client.send(close(1000) + close(4000) + Frame(Opcode.PING, b"").serialize(mask=True))
        assert await listener.end() == (1000, "")
        assert await close_code(client) == 1000
        assert await client.rest() == b""
        assert listener.broken == []
