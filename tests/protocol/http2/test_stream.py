"""Calls between thin peers over real sockets, on the loops that services run on."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from maim_protocol.http2 import CallFailed, CallStream, Limits, Status, dial, frames, settings
from tests.protocol.http2.serving import (
    MIB,
    PATH,
    called,
    echo,
    frame_of,
    put,
    raw_server,
    thin_server,
)

SMALL = Limits(window_bytes=1000, unread_bytes=100)
SILENT = Limits(keepalive_seconds=0.01, answer_seconds=0.01)
SERVER_READY = settings.beginning(Limits(), {}, client=False)


async def test_messages_come_back_in_order_over_tcp_and_unix_sockets(tmp_path: Path) -> None:
    for unix in (None, str(tmp_path / "socket")):
        async with thin_server(unix=unix) as target, called(target) as stream:
            for number in range(100):
                await put(stream, b"%d" % number)
            assert [await stream.read() for _ in range(100)] == [b"%d" % n for n in range(100)]


@pytest.mark.parametrize(("near", "far"), [(SMALL, SMALL), (SMALL, Limits()), (Limits(), SMALL)])
async def test_a_large_message_passes_small_windows(near: Limits, far: Limits) -> None:
    message = bytes(range(256)) * 4096
    async with thin_server(limits=far) as target, called(target, limits=near) as stream:
        await put(stream, message)
        assert await stream.read() == message


async def test_the_largest_message_passes() -> None:
    message = b"x" * 60 * MIB
    async with thin_server() as target, called(target) as stream:
        await put(stream, message)
        assert await stream.read() == message


async def test_a_write_that_the_peer_takes_has_nothing_to_wait_for() -> None:
    async with thin_server() as target, called(target) as stream:
        assert stream.write(b"x" * 400) is None


async def test_a_writer_waits_until_the_peer_reads() -> None:
    go = asyncio.Event()

    async def serve_later(stream: CallStream) -> None:
        await go.wait()
        await echo(stream)

    async with thin_server(serve_later, SMALL) as target, called(target) as stream:
        await put(stream, b"x" * 200)  # crowds the server's inbox
        waiting = stream.write(b"y" * 5000)
        assert waiting is not None
        go.set()
        await waiting
        assert [await stream.read(), await stream.read()] == [b"x" * 200, b"y" * 5000]


async def test_a_writer_that_waits_hears_that_the_peer_is_gone() -> None:
    go = asyncio.Event()

    async def leave(stream: CallStream) -> None:
        await go.wait()
        stream.abort()

    async with thin_server(leave, SMALL) as target, called(target) as stream:
        await put(stream, b"x" * 200)  # crowds the server's inbox
        waiting = stream.write(b"x" * 5000)
        assert waiting is not None
        go.set()
        with pytest.raises(ConnectionError):
            await waiting
        with pytest.raises(ConnectionError, match="the connection was lost"):
            await stream.read()
        with pytest.raises(ConnectionError, match="the call is over"):
            stream.write(b"x")


async def test_a_reader_that_is_cancelled_loses_no_message() -> None:
    async with thin_server() as target, called(target) as stream:
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        reading.cancel()
        await put(stream, b"hello")
        assert await stream.read() == b"hello"


@pytest.mark.parametrize("messages", [0, 3])
async def test_a_status_and_its_text_come_after_the_messages(messages: int) -> None:
    async def refuse(stream: CallStream) -> None:
        for _ in range(messages):
            await put(stream, b"x")
        await stream.end(Status.ABORTED, "nö: 100%")

    async with thin_server(refuse) as target, called(target) as stream:
        assert [await stream.read() for _ in range(messages)] == [b"x"] * messages
        with pytest.raises(CallFailed, match="nö: 100%") as caught:
            await stream.read()
        assert caught.value.status is Status.ABORTED
        with pytest.raises(ConnectionError):
            stream.write(b"late")


async def test_a_good_end_is_none_for_ever() -> None:
    async def end(stream: CallStream) -> None:
        await stream.end(Status.OK)

    async with thin_server(end) as target, called(target) as stream:
        assert [await stream.read(), await stream.read()] == [None, None]


async def test_a_client_that_leaves_ends_the_reading_of_the_server() -> None:
    left = asyncio.Event()

    async def serve(stream: CallStream) -> None:
        assert await stream.read() == b"hello"
        assert await stream.read() is None
        with pytest.raises(ConnectionError):
            stream.write(b"late")
        left.set()

    async with thin_server(serve) as target:
        async with called(target) as stream:
            await put(stream, b"hello")
        await asyncio.wait_for(left.wait(), 20)


async def test_the_end_does_not_wait_for_a_client_that_does_not_read() -> None:
    ended = asyncio.Event()

    async def serve(stream: CallStream) -> None:
        stream.write(b"x" * 200)  # crowds the client's inbox
        assert stream.write(b"x" * 5000) is not None
        await stream.end(Status.OK)
        ended.set()

    async with thin_server(serve) as target, called(target, limits=SMALL):
        await ended.wait()


async def test_a_message_beyond_the_limit_is_not_sent() -> None:
    async with thin_server() as target, called(target, limits=Limits(message_bytes=9)) as stream:
        with pytest.raises(ConnectionError, match="at most 9 bytes, got one of 10"):
            stream.write(b"x" * 10)


@pytest.mark.parametrize("side", ["server", "client"])
async def test_a_message_beyond_the_limit_of_the_reader_ends_the_call(side: str) -> None:
    far, near = Limits(message_bytes=9), Limits()
    if side == "client":
        far, near = near, far

    async def serve(stream: CallStream) -> None:
        if side == "client":
            stream.write(b"x" * 10)
        try:
            await stream.read()
        except CallFailed as problem:
            await stream.end(problem.status, problem.text)

    async with thin_server(serve, far) as target, called(target, limits=near) as stream:
        if side == "server":
            stream.write(b"x" * 10)
        with pytest.raises(CallFailed, match="at most 9 bytes") as caught:
            await stream.read()
        assert caught.value.status is Status.RESOURCE_EXHAUSTED


async def test_a_peer_that_falls_silent_is_given_up() -> None:
    async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SERVER_READY)
        while await reader.read(1000):
            pass

    async with raw_server(fall_silent) as target, called(target, limits=SILENT) as stream:
        with pytest.raises(ConnectionError, match=r"sign of life in 0\.01 s"):
            await stream.read()


async def test_a_peer_that_answers_pings_is_kept() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(SERVER_READY)
        payload = await frame_of(reader, frames.PING)
        writer.write(frames.frame(frames.PING, frames.ACK, 0, payload))
        writer.write(frames.frame(frames.DATA, 0, 1, b"\x00\x00\x00\x00\x04pong"))
        await reader.read()

    asks_soon = Limits(keepalive_seconds=0.01, answer_seconds=20)
    async with raw_server(answer) as target, called(target, limits=asks_soon) as stream:
        assert await stream.read() == b"pong"


async def test_a_client_that_asks_for_nothing_is_sent_away() -> None:
    async with thin_server(limits=SILENT) as target:
        host, port = target.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(settings.beginning(Limits(), {}, client=True))
        wire = await asyncio.wait_for(reader.read(), 20)
        assert b"expected a sign of life" in wire
        writer.close()


async def test_who_breaks_the_rules_is_told_why_before_the_connection_ends() -> None:
    async with thin_server() as target:
        host, port = target.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        wire = await asyncio.wait_for(reader.read(), 20)
        assert b"expected HTTP/2, the peer speaks HTTP/1" in wire
        writer.close()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", SERVER_READY[:20]], ids=repr
)
async def test_what_speaks_no_http2_is_not_reached(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)

    async with raw_server(serve) as target:
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(dial(target, PATH), 20)


async def test_where_nobody_listens_nobody_is_reached(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=r"(?i)connect"):
            await dial(f"127.0.0.1:{sock.getsockname()[1]}", PATH)
    with pytest.raises(OSError, match="No such file"):
        await dial(f"unix:{tmp_path}/nobody", PATH)


async def test_who_gives_up_waiting_for_a_server_leaves_nothing_open() -> None:
    closed = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        closed.set()

    async with raw_server(wait) as target:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dial(target, PATH), 0.05)
        await asyncio.wait_for(closed.wait(), 20)


async def test_closing_twice_and_from_both_sides_is_quiet() -> None:
    async def serve(stream: CallStream) -> None:
        await stream.close()
        await stream.close()
        await stream.end(Status.OK)

    async with thin_server(serve) as target, called(target) as stream:
        with pytest.raises(CallFailed) as caught:
            await stream.read()
        assert caught.value.status is Status.CANCELLED
        await stream.close()
        await stream.close()
