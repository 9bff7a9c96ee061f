"""Overflow policies over real sockets, and what the router hears of slow clients."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.frames import Opcode

from maim_edge.connection import Connection
from maim_edge.service.server import EdgeServer
from maim_protocol.bridge.frames import BridgeOutcome
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import RawClient, running_edge, silent_client

pytestmark = pytest.mark.usefixtures("each_ws")

LIMIT = 1_000_000


def only_connection(edge: EdgeServer) -> Connection:
    assert edge.gateway is not None
    (connection,) = edge.gateway._registry
    return connection


def body(key: str = "", size: int = 50_000) -> bytes:
    return json.dumps({"coalesce_key": key, "x": "x" * size}).encode()


async def fill(router: ScriptedRouter, count: int, **more: Any) -> None:
    """Send so many large messages, in order, to the only client."""
    handle = router.opens[0].conn
    for index in range(count):
        await router.deliver([handle], body(), f"d{index}", type="custom_a", **more)
    await router.until(lambda: len(router.done) + len(router.outcomes) > 0)


async def read_until(client: RawClient, last: str) -> list[str]:
    """Read again, up to a message; returns the ids of all."""
    transport: Any = client.writer.transport
    transport.resume_reading()
    got: list[str] = []
    while not got or got[-1] != last:
        opcode, data = await client.frame()
        if opcode is Opcode.TEXT:
            got.append(json.loads(data)["msg_id"])
    return got


async def test_drop_oldest_gives_a_slow_client_the_last_within_the_bounds() -> None:
    router = ScriptedRouter()
    async with running_edge(router, outbox_bytes=LIMIT, overflow="drop_oldest") as edge:
        client = await silent_client(edge)
        connection, most = only_connection(edge), 0
        handle = router.opens[0].conn
        for index in range(300):
            await router.deliver([handle], body(), f"d{index}", type="custom_a")
            most = max(most, connection.pending_bytes)
        await router.deliver([handle], b"{}", "last")
        await router.until(lambda: router.outcomes)
        got = await read_until(client, "last")
        await router.until(lambda: len(router.outcomes) == 301)
        dropped = [o for o in router.outcomes if o[2] == BridgeOutcome.DROPPED]
        assert edge.gateway is not None
        assert edge.gateway._context.dropped_messages == len(dropped) == 301 - len(got)
        assert dropped
        assert got == sorted(got, key=lambda name: 999 if name == "last" else int(name[1:]))
        # What the transport takes beside the outbox: what comes in one turn of the loop, too.
        assert most <= LIMIT + 64 * 1024 + 16 * 51_000
        assert router.closes == []
        await client.aclose()


async def test_drop_newest_of_one_type_leaves_the_others_alone() -> None:
    router = ScriptedRouter()
    overflow = "disconnect,custom_a=drop_newest"
    async with running_edge(router, outbox_bytes=LIMIT, overflow=overflow) as edge:
        client = await silent_client(edge)
        await fill(router, 300)
        await router.until(lambda: any(o[2] == BridgeOutcome.DROPPED for o in router.outcomes))
        assert router.closes == []
        handle = router.opens[0].conn
        index = 0
        while not router.closes:
            await router.deliver([handle], body(), f"std{index}")
            index += 1
        assert router.closes[0].code == 4408
        client.writer.transport.abort()


async def test_only_the_last_message_of_a_key_waits() -> None:
    router = ScriptedRouter()
    async with running_edge(router, outbox_bytes=LIMIT, overflow="coalesce") as edge:
        client = await silent_client(edge)
        handle = router.opens[0].conn
        connection = only_connection(edge)
        # Until the socket takes no more, so that the next ones wait.
        index = 0
        while not connection.pending_messages:
            await router.deliver([handle], body(f"k{index}"), f"f{index}", type="custom_a")
            await asyncio.sleep(0)
            index += 1
        for round_ in range(20):
            for key in ("a", "b"):
                await router.deliver([handle], body(key, 10), f"{key}{round_}", type="custom_a")
        await router.deliver([handle], b"{}", "last")
        got = await read_until(client, "last")
        assert got[-3:] == ["a19", "b19", "last"]
        assert [name for name in got if name[0] in "ab"] == ["a19", "b19"]
        await client.aclose()


async def test_what_blocks_ends_with_4408_when_nothing_is_taken_for_so_long() -> None:
    router = ScriptedRouter()
    async with running_edge(router, outbox_messages=5, overflow="block:0.2") as edge:
        client = await silent_client(edge)
        await fill(router, 150)
        await router.until(lambda: router.closes)
        assert router.closes[0].code == 4408
        await router.until(lambda: len(router.done) == 150)
        assert BridgeOutcome.DROPPED not in {o for *_, o in router.outcomes}
        client.writer.transport.abort()


async def test_what_blocks_loses_nothing_of_a_client_that_reads_again() -> None:
    router = ScriptedRouter()
    async with running_edge(router, outbox_messages=5, overflow="block:600") as edge:
        client = await silent_client(edge)
        await fill(router, 150)
        got = await read_until(client, "d149")
        assert got == [f"d{index}" for index in range(150)]
        await client.aclose()


async def test_the_router_hears_what_is_pending_until_it_is_not() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await silent_client(edge)
        handle = router.opens[0].conn
        await fill(router, 150)
        await router.until(lambda: router.pending)
        conn, count = router.pending[-1]
        assert conn == handle
        assert count > 64 * 1024
        router.leave()
        await router.until(lambda: len(router.hellos) == 2 and len(router.pending) > 1)
        assert router.pending[-1][0] == handle
        await read_until(client, "d149")
        await router.until(lambda: router.pending[-1] == (handle, 0))
        await client.aclose()


async def test_a_client_that_leaves_is_no_longer_looked_at() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await silent_client(edge)
        await fill(router, 150)
        client.writer.transport.abort()
        await router.until(lambda: router.closes)
        assert edge.gateway is not None
        edge.gateway._context._look_at_slow()
        assert edge.gateway._context._slow == {}
