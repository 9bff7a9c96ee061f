"""Servers for tests to call: thin ones, grpcio, and ones that say what a test says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

from maim_protocol.http2 import CallStream, Fields, Limits, Status, dial, frames

PATH = "/test.Echo/Talk"
MIB = 1024 * 1024
GRPC_OPTIONS = [
    ("grpc.max_receive_message_length", 64 * MIB),
    ("grpc.max_send_message_length", 64 * MIB),
    ("grpc.use_local_subchannel_pool", 1),
]
Serve = Callable[[CallStream], Awaitable[None]]


async def put(stream: CallStream, message: bytes) -> None:
    """Write, and wait if that is asked for."""
    waiting = stream.write(message)
    if waiting is not None:
        await waiting


async def echo(stream: CallStream) -> None:
    """Send back what comes, and end well, if the client does not leave before."""
    with contextlib.suppress(ConnectionError):
        while (message := await stream.read()) is not None:
            await put(stream, message)
        await stream.end(Status.OK)


@asynccontextmanager
async def thin_server(
    serve: Serve = echo,
    limits: Limits | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    unix: str | None = None,
) -> AsyncIterator[str]:
    """Serve calls by a function; yields where."""
    tasks: list[asyncio.Task[None]] = []
    streams: list[CallStream] = []

    def on_request(stream: CallStream, fields: Fields) -> None:
        tasks.append(asyncio.ensure_future(serve(stream)))  # type: ignore[arg-type]

    def protocol() -> CallStream:
        streams.append(CallStream(limits or Limits(), on_request))
        return streams[-1]

    loop = asyncio.get_running_loop()
    if unix is not None:
        server = await loop.create_unix_server(protocol, unix)
        target = f"unix:{unix}"
    else:
        server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls)
        target = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield target
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in streams:
            await stream.close()


@asynccontextmanager
async def grpc_server(
    serve: Callable[[Any], Awaitable[None]] | None = None,
    credentials: grpc.ServerCredentials | None = None,
    address: str = "127.0.0.1:0",
) -> AsyncIterator[tuple[str, grpc.aio.Server]]:
    """Serve calls by a function of grpcio's context; echoes without one."""

    async def talk(_: Any, context: Any) -> None:
        if serve is not None:
            await serve(context)
            return
        while (message := await context.read()) is not grpc.aio.EOF:
            await context.write(message)

    handlers = {"Talk": grpc.stream_stream_rpc_method_handler(talk)}
    server = grpc.aio.server(options=GRPC_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", handlers),))
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}", server
    finally:
        await server.stop(None)
        del server
        await asyncio.sleep(0)


@asynccontextmanager
async def called(target: str, **options: Any) -> AsyncIterator[CallStream]:
    """A call by a thin client, within bounded time."""
    async with asyncio.timeout(30):
        stream = await dial(target, PATH, **options)
        try:
            yield stream
        finally:
            await stream.close()


@asynccontextmanager
async def grpc_called(
    target: str, credentials: grpc.ChannelCredentials | None = None, **options: Any
) -> AsyncIterator[Any]:
    """A call by grpcio, within bounded time."""
    if credentials is None:
        channel = grpc.aio.insecure_channel(target, options=GRPC_OPTIONS, **options)
    else:
        channel = grpc.aio.secure_channel(target, credentials, options=GRPC_OPTIONS)
    async with asyncio.timeout(30), channel:
        call: Any = channel.stream_stream(PATH)()
        try:
            yield call
        finally:
            call.cancel()


@asynccontextmanager
async def raw_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Serve bytes by a function; yields where."""
    running: set[asyncio.Task[Any] | None] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        async with asyncio.timeout(20):
            await asyncio.gather(*filter(None, running))


async def frame_of(reader: asyncio.StreamReader, kind: int) -> bytes:
    """Read what a client sends up to a frame of some kind; returns its payload."""
    await reader.readexactly(len(frames.PREFACE))
    while True:
        head = await reader.readexactly(frames.HEAD_BYTES)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        if head[3] == kind:
            return payload
