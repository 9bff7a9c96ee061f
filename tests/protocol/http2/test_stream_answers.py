"""A thin client and servers that are odd: no gRPC, no status, or no reading."""

from __future__ import annotations

import asyncio

import pytest
from hpack import Encoder

from maim_protocol.http2 import CallFailed, Limits, Status, frames, settings
from tests.protocol.http2.serving import MIB, called, frame_of, raw_server

READY = settings.beginning(Limits(window_bytes=1000 * MIB), {}, client=False)
END, WHOLE = frames.END_STREAM, frames.END_HEADERS


def fields(*pairs: tuple[str, str]) -> bytes:
    return Encoder().encode(pairs)


ODD_ANSWERS = {
    "a page": (
        frames.headers(1, fields((":status", "404"), ("content-type", "text/html")), 0)
        + frames.frame(frames.DATA, END, 1, b"<html>"),
        Status.UNIMPLEMENTED,
        "HTTP status 404 and content-type text/html",
    ),
    "a proxy's error without a page": (
        frames.headers(1, fields((":status", "503")), END),
        Status.UNAVAILABLE,
        "HTTP status 503",
    ),
    "an interim answer, then a status": (
        frames.headers(1, fields((":status", "103")), 0)
        + frames.headers(
            1,
            fields((":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5")),
            END,
        ),
        Status.NOT_FOUND,
        "NOT_FOUND: $",
    ),
    "an end without a status": (
        frames.headers(1, fields((":status", "200"), ("content-type", "application/grpc")), 0)
        + frames.frame(frames.DATA, END, 1),
        Status.UNKNOWN,
        "got the end of the stream",
    ),
    "a refusal of the stream": (
        frames.number(frames.RST_STREAM, 1, 7),
        Status.UNAVAILABLE,
        "REFUSED_STREAM",
    ),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_an_odd_answer_has_the_status_that_grpc_gives_it(name: str) -> None:
    answer, status, text = ODD_ANSWERS[name]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(READY)
        await frame_of(reader, frames.HEADERS)
        writer.write(answer)
        await reader.read()

    async with raw_server(serve) as target, called(target) as stream:
        with pytest.raises(CallFailed, match=text) as caught:
            await stream.read()
        assert caught.value.status is status


async def test_a_writer_waits_for_the_kernel_where_the_peer_has_room_but_does_not_read() -> None:
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(READY)
        await reader.readexactly(100)
        await go.wait()
        while await reader.read(MIB):
            pass

    async with raw_server(serve) as target, called(target) as stream:
        waiting = None
        while waiting is None:
            waiting = stream.write(bytes(MIB))
        assert not stream._connection.blocked
        go.set()
        await waiting


async def test_a_writer_that_is_cancelled_disturbs_nobody() -> None:
    go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(READY)
        await go.wait()
        while await reader.read(MIB):
            pass

    async with raw_server(serve) as target, called(target) as stream:
        waiting = None
        while waiting is None:
            waiting = stream.write(bytes(MIB))
        given_up = asyncio.ensure_future(waiting)
        given_up.cancel()
        waiting = stream.write(b"more")
        assert waiting is not None
        go.set()
        await waiting
