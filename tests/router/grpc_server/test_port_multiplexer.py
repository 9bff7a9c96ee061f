"""One port for everybody: edges of ours, and whoever speaks gRPC, HTTP or nothing at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from maim_protocol.http2 import Limits, settings
from maim_router.grpc_server import port_multiplexer as module
from maim_router.grpc_server.port_multiplexer import make_port_multiplexer
from maim_router.grpc_server.server import RouterService, ServiceOptions
from tests.router.grpc_server.multiplexer_peer import connect, healthy, node, served

MIB = 1024 * 1024
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
FOREIGN = settings.beginning(Limits(), {}, client=True)


@asynccontextmanager
async def door_before(serve: Serve, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    """A multiplexer with a function in grpcio's place; yields where."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()

    multiplexer = make_port_multiplexer(node(), None)
    assert multiplexer is not None
    behind = await asyncio.start_unix_server(run, multiplexer.grpc_address.removeprefix("unix:"))
    try:
        async with asyncio.timeout(30), behind:
            yield await multiplexer.listen(address, None)
    finally:
        await multiplexer.drain(0)
        await multiplexer.stop()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
        await writer.drain()
    writer.write(b"the end")


async def test_bytes_pass_unchanged_and_after_a_half_close_the_rest_still_comes() -> None:
    sent = FOREIGN + bytes(range(256)) * 20_000
    async with door_before(echo) as target:
        reader, writer = await connect(target)
        writer.write(sent)
        writer.write_eof()
        got = bytearray()
        while data := await reader.read(2**16):
            got += data
        assert got == sent + b"the end"
        writer.close()


async def test_who_does_not_read_stops_who_writes() -> None:
    size = 64 * MIB
    poured = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(size // MIB):
            writer.write(bytes(MIB))
            await writer.drain()
        poured.set()

    async with door_before(pour) as target:
        reader, writer = await connect(target)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"anything but a preface")
        with pytest.raises(TimeoutError):  # kernel and transports hold some, but never all
            await asyncio.wait_for(poured.wait(), 0.3)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        got = 0
        while data := await reader.read(MIB):
            got += len(data)
        assert got == size
        writer.close()


async def test_a_peer_that_is_gone_takes_the_other_end_with_it() -> None:
    left = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(b"go")
        with contextlib.suppress(ConnectionError):
            await reader.read()
        left.set()

    async with door_before(wait) as target:
        reader, writer = await connect(target)
        writer.write(b"abc")
        assert await reader.read(2) == b"go"
        writer.transport.abort()
        await asyncio.wait_for(left.wait(), 20)


async def test_what_says_nothing_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_BYTES_SECONDS", 0.05)
    async with served() as service:
        for first in (b"", b"PRI * HTTP/2.0\r\n"):
            reader, writer = await connect(service.addresses[0])
            writer.write(first)
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()


async def test_a_door_with_nobody_behind_it_closes(caplog: pytest.LogCaptureFixture) -> None:
    multiplexer = make_port_multiplexer(node(), None)
    assert multiplexer is not None
    reader, writer = await connect(await multiplexer.listen("127.0.0.1:0", None))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    assert "does not answer" in caplog.text
    await multiplexer.drain(0)
    await multiplexer.stop()


async def test_everything_is_served_on_one_port_and_one_unix_socket(tmp_path: Path) -> None:
    extra = f"unix:{tmp_path}/router"
    async with served(extra_addresses=[extra]) as service:
        for address in service.addresses:
            async with grpc.aio.insecure_channel(address) as channel:
                assert await healthy(channel)
    assert not (tmp_path / "router").exists()


async def test_nobody_else_may_enter_the_folder_of_the_private_socket() -> None:
    multiplexer = make_port_multiplexer(node(), None)
    assert multiplexer is not None
    folder = Path(multiplexer.grpc_address.removeprefix("unix:")).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await multiplexer.stop()
    assert not folder.exists()


async def test_a_socket_that_another_process_serves_is_left_alone(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "taken"))
        other.listen()
        multiplexer = make_port_multiplexer(node(), None)
        assert multiplexer is not None
        with pytest.raises(OSError, match="another process serves it"):
            await multiplexer.listen(f"unix:{tmp_path}/taken", None)
        await multiplexer.drain(0)
        await multiplexer.stop()
        assert (tmp_path / "taken").exists()


async def test_a_port_that_is_taken_is_an_error_of_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        service = RouterService(node(), ServiceOptions([address], bridge="http2"))
        with pytest.raises(OSError, match="address already in use; stop the process"):
            await service.start()
        await service.stop()


async def test_where_there_are_no_unix_sockets_grpcio_serves_edges(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "HAS_UNIX_SOCKETS", False)
    async with served() as service:
        async with grpc.aio.insecure_channel(service.addresses[0]) as channel:
            assert await healthy(channel)
    assert "grpcio serves edges" in caplog.text


def test_a_temporary_folder_with_too_long_a_path_or_none_falls_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    folder = tmp_path / ("x" * 100)
    monkeypatch.setattr(module.tempfile, "tempdir", str(folder))
    assert make_port_multiplexer(node(), None) is None
    folder.mkdir()
    assert make_port_multiplexer(node(), None) is None
    assert [record.getMessage()[-21:] for record in caplog.records] == ["; grpcio serves edges"] * 2
    assert list(folder.iterdir()) == []


async def test_stopping_ends_what_is_spliced_and_what_is_undecided() -> None:
    service = RouterService(node(), ServiceOptions(["127.0.0.1:0"], bridge="http2"))
    await service.start()
    reader, writer = await connect(service.addresses[0])
    async with grpc.aio.insecure_channel(service.addresses[0]) as channel:
        assert await healthy(channel)
        async with asyncio.timeout(10):
            await service.stop(0.1)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        with pytest.raises(grpc.aio.AioRpcError):
            await healthy(channel)
