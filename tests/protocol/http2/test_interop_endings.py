"""Thin peers and grpcio understand each other when a call ends badly, or in the midst."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from maim_protocol.http2 import CallFailed, CallStream, Limits, Status
from tests.protocol.http2.serving import (
    MIB,
    called,
    echo,
    grpc_called,
    grpc_server,
    put,
    thin_server,
)

TINY = Limits(window_bytes=5000, unread_bytes=1000)


async def test_a_compressed_call_is_refused_with_what_is_taken() -> None:
    async with (
        thin_server(refuse_nothing) as target,
        grpc_called(target, compression=grpc.Compression.Gzip) as call,
    ):
        await call.write(b"x" * 5000)
        assert await call.code() is grpc.StatusCode.INTERNAL
        assert "without compression" in await call.details()


async def refuse_nothing(stream: CallStream) -> None:
    """Serve without a look at the request."""
    try:
        await stream.read()
    except CallFailed as problem:
        await stream.end(problem.status, problem.text)


async def test_messages_beyond_a_limit_end_the_call_on_either_side() -> None:
    tight = Limits(message_bytes=1000)
    async with grpc_server() as (target, _), called(target, limits=tight) as stream:
        await put(stream, b"x" * 1000)
        assert await stream.read() == b"x" * 1000
    async with grpc_server(send_too_much) as (target, _), called(target, limits=tight) as stream:
        with pytest.raises(CallFailed) as caught:
            await stream.read()
        assert caught.value.status is Status.RESOURCE_EXHAUSTED
    async with thin_server(refuse_nothing, tight) as target, grpc_called(target) as call:
        await call.write(b"x" * 1001)
        assert await call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def send_too_much(context: Any) -> None:
    """Send more than the client takes."""
    await context.write(b"x" * 1001)


async def test_a_client_that_breaks_off_in_the_midst_of_a_message_is_noticed() -> None:
    left = asyncio.Event()

    async def serve_grpc(context: Any) -> None:
        try:
            await context.read()
        finally:
            left.set()

    async with grpc_server(serve_grpc) as (target, _):
        async with called(target) as stream:
            stream.write(b"x" * 60 * MIB)
        await asyncio.wait_for(left.wait(), 20)

    async def serve(stream: CallStream) -> None:
        assert await stream.read() is None
        left.set()

    left.clear()
    async with thin_server(serve, TINY) as target, grpc_called(target) as call:
        writing = asyncio.ensure_future(call.write(b"x" * 60 * MIB))
        await call.wait_for_connection()
        call.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await asyncio.wait_for(left.wait(), 20)


async def test_a_server_that_breaks_off_in_the_midst_of_a_message_is_noticed() -> None:
    begun = asyncio.Event()

    async def serve_grpc(context: Any) -> None:
        await context.write(b"x" * 2000)  # crowds the client's inbox
        begun.set()
        await context.write(b"x" * 30 * MIB)

    async with grpc_server(serve_grpc) as (target, server), called(target, limits=TINY) as stream:
        await begun.wait()
        await server.stop(None)
        assert await stream.read() == b"x" * 2000
        with pytest.raises((CallFailed, ConnectionError)):
            await stream.read()

    async def serve(stream: CallStream) -> None:
        stream.write(b"x" * 30 * MIB)
        await stream.read()
        await stream.close()

    async with thin_server(serve) as target, grpc_called(target) as call:
        await call.write(b"go")
        assert await call.code() is not grpc.StatusCode.OK


async def test_a_graceful_goaway_lets_the_call_go_on() -> None:
    async with grpc_server() as (target, server), called(target) as stream:
        await put(stream, b"before")
        assert await stream.read() == b"before"
        stopping = asyncio.ensure_future(server.stop(20))
        for _ in range(20):
            await put(stream, b"after")
            assert await stream.read() == b"after"
        await stream.close()
        await stopping

    async def say_goodbye(stream: CallStream) -> None:
        stream.leave()
        await echo(stream)

    async with thin_server(say_goodbye) as target, grpc_called(target) as call:
        for _ in range(20):
            await call.write(b"after")
            assert await call.read() == b"after"
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.OK


async def test_a_grpcio_server_that_stops_at_once_ends_the_call() -> None:
    async with grpc_server() as (target, server), called(target) as stream:
        await put(stream, b"before")
        assert await stream.read() == b"before"
        await server.stop(None)
        with pytest.raises((CallFailed, ConnectionError)):
            await stream.read()
