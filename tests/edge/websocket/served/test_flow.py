"""Listeners that will not hear and peers that do not read: what waits is bounded, in order."""

from __future__ import annotations

import asyncio

import pytest
from websockets.frames import Opcode

from tests.edge.service.edge_peer import handshake, text_frame
from tests.edge.websocket.served.site import (
    ProtocolClass,
    Recorder,
    close,
    close_code,
    serving,
    stuffed,
)

PING = text_frame(b"", opcode=Opcode.PING)


class OneByOne(Recorder):
    """A listener that pauses with every message."""

    def on_message(self, data: bytes) -> None:
        """Take no further message."""
        super().on_message(data)
        self.socket.pause_reading()


async def test_messages_wait_in_order_while_a_listener_pauses(ws: ProtocolClass) -> None:
    sent = [b"%d" % index for index in range(300)]
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        client.send(b"".join(map(text_frame, sent)) + close(4001, "done"))
        for count in range(1, 301):
            await listener.until(lambda count=count: len(listener.messages) == count)  # type: ignore[misc]
            await asyncio.sleep(0)
            assert len(listener.messages) == count
            assert listener.closed == []
            listener.socket.resume_reading()
        assert await listener.end() == (4001, "done")
        assert listener.messages == sent


async def test_resuming_hands_nothing_over_from_within(ws: ProtocolClass) -> None:
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        client.send(text_frame("1") + text_frame("2"))
        await listener.until(lambda: listener.messages)
        listener.socket.resume_reading()
        assert listener.messages == [b"1"]
        await listener.until(lambda: len(listener.messages) == 2)


async def test_a_sender_is_held_back_while_a_listener_pauses(ws: ProtocolClass) -> None:
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        for _ in range(64):
            client.send(text_frame(b"x" * 1_000_000))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.writer.drain(), 0.3)
        assert len(listener.messages) == 1
        listener.on_message = listener.messages.append  # type: ignore[method-assign]
        listener.socket.resume_reading()
        async with asyncio.timeout(20):
            await client.writer.drain()


async def test_a_sender_is_held_back_by_a_listener_that_takes_one_message_at_a_time(
    ws: ProtocolClass,
) -> None:
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        for _ in range(64):
            client.send(text_frame(b"x" * 1_000_000))
        for count in range(1, 9):
            await listener.until(lambda count=count: len(listener.messages) == count)  # type: ignore[misc]
            listener.socket.resume_reading()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.writer.drain(), 0.3)
        assert client.writer.transport.get_write_buffer_size() > 40_000_000


async def test_a_sender_is_held_back_until_it_is_handed_over(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        site.may_take.clear()
        client = await site.tcp()
        client.send(handshake("/direct") + text_frame(b"x" * 1_000_000) * 64)
        assert "101" in await client.head()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.writer.drain(), 0.3)
        site.may_take.set()
        listener = await site.listener()
        await listener.until(lambda: len(listener.messages) == 64)


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_listener_that_ends_it_hears_no_more_of_what_waits(
    ws: ProtocolClass, how: str
) -> None:
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        client.send(text_frame("1") + text_frame("2") * 500)
        await listener.until(lambda: listener.messages)
        if how == "close":
            listener.socket.close(4400, "enough")
            assert await close_code(client) == 4400
            client.send(close(4400))
            assert (await listener.end())[0] == 4400
        else:
            listener.socket.abort()
            assert await listener.end() == (1006, "")
        assert listener.messages == [b"1"]


async def test_an_end_that_waits_comes_at_once_for_a_listener_that_closes(
    ws: ProtocolClass,
) -> None:
    async with serving(ws, OneByOne) as site:
        client, listener = await site.pair()
        client.send(text_frame("1") + text_frame("2") + close(4001))
        await client.frame()
        assert listener.closed == []
        listener.socket.close(1001, "")
        assert await listener.end() == (4001, "")
        assert listener.messages == [b"1"]


async def test_a_listener_is_told_when_the_peer_does_not_read_and_when_it_does(
    ws: ProtocolClass,
) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
        assert listener.calls == ["pause_writing"]
        assert listener.socket.pending_bytes > 60_000
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        listener.socket.send(b"last")
        while (await client.frame())[1] != b"last":
            pass
        await listener.until(lambda: listener.calls[-1] == "resume_writing")
        assert listener.socket.pending_bytes == 0


async def test_pings_of_a_peer_that_does_not_read_fill_no_memory(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
        before = listener.socket.pending_bytes
        client.send(text_frame(b"p" * 125, opcode=Opcode.PING) * 20_000)
        client.send(text_frame(b"last", opcode=Opcode.PING) + text_frame("done"))
        await client.writer.drain()
        await listener.until(lambda: listener.messages)
        assert listener.socket.pending_bytes <= before
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while (got := await client.frame())[0] is not Opcode.PONG:
            pass
        assert got == (Opcode.PONG, b"last")


@pytest.mark.usefixtures("_no_patience")
async def test_a_peer_that_closes_without_reading_may_not_stay(ws: ProtocolClass) -> None:
    async with serving(ws) as site:
        client, listener = await stuffed(site)
        client.send(close(1000))
        assert await listener.end() == (1000, "")
        await site.empty()
