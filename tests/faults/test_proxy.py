"""The proxy of the fault suite does to real sockets what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from tests.faults.proxy import Proxy, through

T = TypeVar("T")
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def soon(waited_for: Awaitable[T]) -> T:
    return await asyncio.wait_for(waited_for, 10)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        return  # a reset is what some of these tests are about
    finally:
        writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, through(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def echoed(stream: Stream, data: bytes) -> None:
    stream[1].write(data)
    assert await soon(stream[0].readexactly(len(data))) == data


async def test_a_good_link_carries_both_ways_byte_for_byte(proxy: Proxy) -> None:
    async with connected(proxy) as stream:
        sending = bytes(range(256)) * 4096
        stream[1].write(sending)
        assert await soon(stream[0].readexactly(len(sending))) == sending


async def test_the_end_of_one_side_reaches_the_other(proxy: Proxy) -> None:
    async with connected(proxy) as (reader, writer):
        writer.write(b"last words")
        writer.write_eof()
        assert await soon(reader.read()) == b"last words"


async def test_a_delayed_link_takes_its_time(proxy: Proxy) -> None:
    proxy.delay(0.05)
    clock = asyncio.get_running_loop().time
    async with connected(proxy) as stream:
        began = clock()
        await echoed(stream, b"there and back")
        assert clock() - began >= 0.1


async def test_a_limited_link_carries_so_many_bytes_a_second(proxy: Proxy) -> None:
    proxy.limit(1_000_000)
    clock = asyncio.get_running_loop().time
    async with connected(proxy) as stream:
        began = clock()
        await echoed(stream, bytes(100_000))
        assert clock() - began >= 0.1


async def test_a_cut_is_an_end_of_file(proxy: Proxy) -> None:
    async with connected(proxy) as stream:
        await echoed(stream, b"x")
        proxy.cut()
        assert await soon(stream[0].read()) == b""


async def test_a_reset_is_a_reset(proxy: Proxy) -> None:
    async with connected(proxy) as stream:
        await echoed(stream, b"x")
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            await soon(stream[0].read())


async def test_a_swallowing_link_says_nothing_and_is_reset_when_it_heals(proxy: Proxy) -> None:
    async with connected(proxy) as stream:
        await echoed(stream, b"x")
        proxy.swallow()
        stream[1].write(b"into the void")
        waiting = asyncio.ensure_future(stream[0].read())
        async with connected(proxy):
            done, _ = await asyncio.wait([waiting], timeout=0.1)
            assert not done
            proxy.heal()
            with pytest.raises(ConnectionResetError):
                await soon(waiting)


async def test_a_connection_that_begins_on_a_swallowing_link_goes_on_when_it_heals(
    proxy: Proxy,
) -> None:
    proxy.swallow()
    async with connected(proxy) as stream:
        stream[1].write(b"patience")
        proxy.heal()
        assert await soon(stream[0].readexactly(8)) == b"patience"


async def test_a_refusing_link_resets_all_until_it_heals(proxy: Proxy) -> None:
    async with connected(proxy) as stream:
        await echoed(stream, b"x")
        proxy.refuse()
        with pytest.raises(ConnectionResetError):
            await soon(stream[0].read())
    async with connected(proxy) as stream:
        with pytest.raises(ConnectionResetError):
            await soon(stream[0].read())
    proxy.heal()
    async with connected(proxy) as stream:
        await echoed(stream, b"x")


async def test_without_an_upstream_a_connection_is_reset() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with through(port) as proxy, connected(proxy) as stream:
        with pytest.raises(ConnectionResetError):
            await soon(stream[0].read())
