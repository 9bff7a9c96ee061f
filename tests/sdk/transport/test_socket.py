"""The wire against a real server: messages stay whole and in order, writes are few."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from maim_message.client import WebSocketClient, create_client_config
from maim_message.client.transport.socket import JOINED_BYTES, EdgeSocket
from maim_protocol.envelope import encode_envelope
from tests.sdk.edge import MESSAGE, soon, until

PAYLOAD = json.dumps(MESSAGE).encode()


class Counting(ServerConnection):
    """A server's connection that counts how often something came from the network."""

    reads = 0

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        super().data_received(data)


class Peer:
    """The other end: what it sends is the test's, what it receives is kept."""

    def __init__(self) -> None:
        self.greeting: list[bytes] = []
        self.links: asyncio.Queue[Counting] = asyncio.Queue()
        self.received: list[bytes] = []
        self.port = 0

    async def handle(self, link: Any) -> None:
        for text in self.greeting:
            await link.send(text, text=True)
        self.links.put_nowait(link)
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.received.append(await link.recv(decode=False))


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    peer = Peer()
    async with serve(peer.handle, "localhost", 0, create_connection=Counting) as server:
        peer.port = next(iter(server.sockets)).getsockname()[1]
        yield peer


class Reader:
    """Reads a wire into a list, as long as it has room."""

    def __init__(self, socket: EdgeSocket) -> None:
        self.taken: list[bytes] = []
        self.in_a_task: list[bool] = []
        self.limit = 1_000_000
        self.freed = asyncio.Event()
        self.task = asyncio.create_task(socket.deliver(self.take, self.room))

    def take(self, message: bytes) -> bool:
        if len(self.taken) >= self.limit:
            return False
        self.taken.append(message)
        self.in_a_task.append(asyncio.current_task() is not None)
        return True

    async def room(self) -> None:
        await self.freed.wait()

    def free(self) -> None:
        self.limit = 1_000_000
        self.freed.set()


@contextlib.asynccontextmanager
async def opened(peer: Peer) -> AsyncIterator[tuple[EdgeSocket, Reader, Counting]]:
    url = f"ws://localhost:{peer.port}"
    async with connect(url, create_connection=EdgeSocket, compression=None) as socket:
        assert isinstance(socket, EdgeSocket)
        reader = Reader(socket)
        yield socket, reader, await soon(peer.links.get())
    with pytest.raises((ConnectionClosed, asyncio.CancelledError)):
        await reader.task


async def test_whole_messages_and_fragments_come_in_the_order_they_were_sent(peer: Peer) -> None:
    async with opened(peer) as (_, reader, link):
        await link.send("1")
        await link.send(["2", "2", "2"])
        await link.send(b"3")
        await link.send(["4"])
        await link.send("5")
        await until(lambda: len(reader.taken) == 5)
        assert reader.taken == [b"1", b"222", b"3", b"4", b"5"]


async def test_what_comes_before_anybody_reads_is_read_first(peer: Peer) -> None:
    peer.greeting = [b"early", b"earlier than the rest"]
    async with opened(peer) as (_, reader, link):
        await link.send("late")
        await until(lambda: len(reader.taken) == 3)
        assert reader.taken == [*peer.greeting, b"late"]


async def test_what_is_refused_waits_in_order_and_the_peer_is_held_up(peer: Peer) -> None:
    async with opened(peer) as (socket, reader, link):
        reader.limit = 3
        sending = asyncio.create_task(send_many(link, 2000, bytes(10_000)))
        await until(lambda: not socket.transport.is_reading() and link.paused)
        assert len(reader.taken) == 3
        assert not sending.done()
        reader.free()
        await soon(sending)
        await until(lambda: len(reader.taken) == 2000)
        assert [int(message[:4]) for message in reader.taken] == list(range(2000))
        await link.send("the short way again")
        await until(lambda: len(reader.taken) == 2001)
        assert reader.in_a_task[:3] == [False] * 3
        assert reader.in_a_task[3]
        assert not reader.in_a_task[-1]


async def send_many(link: Any, number: int, rest: bytes) -> None:
    for index in range(number):
        await link.send(b"%04d%b" % (index, rest))


async def test_messages_of_one_turn_of_the_loop_leave_together(peer: Peer) -> None:
    async with opened(peer) as (socket, _, link):
        before = link.reads
        for number in range(100):
            assert socket.write(b"%d" % number)
        await until(lambda: len(peer.received) == 100)
        assert peer.received == [b"%d" % number for number in range(100)]
        assert link.reads - before <= 2, "the first leaves at once, the others together"


async def test_a_lone_message_leaves_at_once(peer: Peer) -> None:
    async with opened(peer) as (socket, _, _link):
        socket.write(b"alone")
        assert socket.protocol.data_to_send() == []
        socket.write(b"right behind it")
        assert len(socket.protocol.data_to_send()) == 1


async def test_many_bytes_do_not_wait_for_the_end_of_the_turn(peer: Peer) -> None:
    async with opened(peer) as (socket, _, _link):
        socket.write(b"first")
        socket.write(bytes(JOINED_BYTES))
        assert socket.protocol.data_to_send() == []


async def test_acknowledgements_of_one_turn_leave_together(peer: Peer) -> None:
    config = create_client_config(f"ws://localhost:{peer.port}", "k", on_message=lambda *_: None)
    async with WebSocketClient(config):
        link = await soon(peer.links.get())
        before = link.reads
        for number in range(100):
            link.protocol.send_text(encode_envelope("sys_std", str(number), {}, PAYLOAD))
        link.transport.write(b"".join(link.protocol.data_to_send()))
        await until(lambda: len(peer.received) == 100)
        assert link.reads - before == 1


async def test_what_is_written_before_a_close_arrives_before_it(peer: Peer) -> None:
    async with opened(peer) as (socket, _, _link):
        for number in range(3):
            socket.write(b"%d" % number)
        await socket.close()
        assert peer.received == [b"0", b"1", b"2"]
        assert not socket.write(b"too late")
        assert not socket.ready


async def test_a_wire_whose_peer_does_not_read_says_when_it_may_write_again(peer: Peer) -> None:
    async with opened(peer) as (socket, _, link):
        link.transport.pause_reading()
        heard = asyncio.Event()
        socket.on_writable = heard.set
        for _ in range(1000):
            if socket.ready:
                socket.write(bytes(100_000))
        assert not socket.ready
        assert not heard.is_set()
        link.transport.resume_reading()
        await soon(heard.wait())
        assert socket.ready


async def test_a_peer_that_keeps_sending_does_not_hold_up_the_end(peer: Peer) -> None:
    async with opened(peer) as (socket, reader, link):
        sending = asyncio.create_task(send_many(link, 10_000, bytes(1000)))
        await until(lambda: len(reader.taken) > 10)
        reader.task.cancel()
        await asyncio.wait([reader.task])
        await soon(socket.close())
        with pytest.raises(ConnectionClosed):
            await sending
