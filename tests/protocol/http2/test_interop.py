"""Thin peers and grpcio understand each other: calls, statuses, large messages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from maim_protocol.http2 import CallFailed, CallStream, Limits, Status, dial
from tests.protocol.http2.serving import (
    MIB,
    PATH,
    called,
    grpc_called,
    grpc_server,
    put,
    thin_server,
)

SIZES = [0, 1, 400, 16_384, 65_536, 3 * MIB]
TINY = Limits(window_bytes=5000, unread_bytes=1000)


async def test_a_thin_client_talks_to_grpcio() -> None:
    async with grpc_server() as (target, _), called(target) as stream:
        for size in SIZES:
            await put(stream, b"x" * size)
            assert await stream.read() == b"x" * size


async def test_grpcio_talks_to_a_thin_server() -> None:
    async with thin_server() as target, grpc_called(target) as call:
        for size in SIZES:
            await call.write(b"x" * size)
            assert await call.read() == b"x" * size
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("limits", [Limits(), Limits(window_bytes=65_535)], ids=["large", "small"])
async def test_a_message_of_60_mib_passes_both_ways(limits: Limits) -> None:
    message = b"\xfe" * 60 * MIB
    async with grpc_server() as (target, _), called(target, limits=limits) as stream:
        await put(stream, message)
        assert await stream.read() == message
    async with thin_server(limits=limits) as target, grpc_called(target) as call:
        await call.write(message)
        assert await call.read() == message


async def test_tiny_windows_are_kept_to_by_both() -> None:
    message = b"\xfe" * MIB
    async with grpc_server() as (target, _), called(target, limits=TINY) as stream:
        await put(stream, message)
        assert await stream.read() == message
    async with thin_server(limits=TINY) as target, grpc_called(target) as call:
        await call.write(message)
        assert await call.read() == message


async def test_many_messages_pass_both_ways_at_once() -> None:
    sent = [b"%d" % number * (number % 50) for number in range(2000)]

    async def write(stream: CallStream) -> None:
        for message in sent:
            await put(stream, message)

    async with grpc_server() as (target, _), called(target, limits=TINY) as stream:
        writing = asyncio.ensure_future(write(stream))
        assert [await stream.read() for _ in sent] == sent
        await writing


async def test_unix_sockets_are_served_and_called(tmp_path: Path) -> None:
    async with (
        grpc_server(address=f"unix:{tmp_path}/grpc") as (target, _),
        called(target) as stream,
    ):
        await put(stream, b"hello")
        assert await stream.read() == b"hello"
    async with thin_server(unix=f"{tmp_path}/thin") as target, grpc_called(target) as call:
        await call.write(b"hello")
        assert await call.read() == b"hello"


async def test_every_status_and_its_text_pass_both_ways() -> None:
    text = "nö: 100%\n你"

    async def abort(context: Any) -> None:
        status = Status(int(await context.read()))
        await context.abort(grpc.StatusCode[status.name], text)

    async def end(stream: CallStream) -> None:
        await stream.end(Status(int(await stream.read() or b"")), text)

    async def to_grpcio(target: str, status: Status) -> None:
        async with called(target) as stream:
            await put(stream, b"%d" % status)
            with pytest.raises(CallFailed) as caught:
                await stream.read()
            assert (caught.value.status, caught.value.text) == (status, text)

    async def to_thin(target: str, status: Status) -> None:
        async with grpc_called(target) as call:
            await call.write(b"%d" % status)
            assert await call.code() is grpc.StatusCode[status.name]
            assert await call.details() == text

    bad = [status for status in Status if status]
    async with grpc_server(abort) as (target, _):
        await asyncio.gather(*(to_grpcio(target, status) for status in bad))
    async with thin_server(end) as target:
        await asyncio.gather(*(to_thin(target, status) for status in bad))


async def test_messages_before_a_status_arrive() -> None:
    async def serve(stream: CallStream) -> None:
        for number in range(5):
            await put(stream, b"%d" % number)
        await stream.end(Status.ABORTED, "enough")

    async def serve_grpc(context: Any) -> None:
        for number in range(5):
            await context.write(b"%d" % number)
        await context.abort(grpc.StatusCode.ABORTED, "enough")

    expected = [b"%d" % number for number in range(5)]
    async with thin_server(serve) as target, grpc_called(target) as call:
        assert [await call.read() for _ in range(5)] == expected
        assert await call.code() is grpc.StatusCode.ABORTED
    async with grpc_server(serve_grpc) as (target, _), called(target) as stream:
        assert [await stream.read() for _ in range(5)] == expected
        with pytest.raises(CallFailed, match="enough"):
            await stream.read()


async def test_the_metadata_of_a_thin_client_reach_grpcio() -> None:
    seen: list[tuple[str, str]] = []

    async def look(context: Any) -> None:
        seen.extend(context.invocation_metadata())

    async with grpc_server(look) as (target, _):
        stream = await dial(target, PATH, token="sesame")
        assert await stream.read() is None
        await stream.close()
    assert ("authorization", "Bearer sesame") in seen


async def test_trailing_metadata_of_a_thin_server_reach_grpcio() -> None:
    async def end(stream: CallStream) -> None:
        await stream.end(Status.ABORTED, "no", [("grpc-status-details-bin", "CAoSAm5v")])

    async with thin_server(end) as target, grpc_called(target) as call:
        trailing = await call.trailing_metadata()
        assert ("grpc-status-details-bin", b"\x08\n\x12\x02no") in list(trailing)


async def test_a_method_that_grpcio_does_not_have_is_unimplemented() -> None:
    async with grpc_server() as (target, _):
        stream = await dial(target, "/test.Echo/Other")
        with pytest.raises(CallFailed) as caught:
            await stream.read()
        assert caught.value.status is Status.UNIMPLEMENTED
        await stream.close()


async def test_grpcio_pings_as_often_as_it_likes() -> None:
    options = [("grpc.keepalive_time_ms", 10), ("grpc.http2.max_pings_without_data", 0)]
    async with thin_server() as target, grpc.aio.insecure_channel(target, options) as channel:
        call: Any = channel.stream_stream(PATH)()
        for _ in range(200):
            await call.write(b"x")
            assert await call.read() == b"x"
        call.cancel()
