"""An edge that drains, over real sockets: notices, batches, orders of the router."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from maim_edge.service.server import EdgeServer
from maim_protocol.bridge.frames import DrainOrder, RouterFrame, Want
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import running_edge, silent_client, standard

pytestmark = pytest.mark.usefixtures("each_ws")

KEY = "?api_key=alice&platform=qq"
SECONDS = 20.0


async def order(router: ScriptedRouter, window: float) -> None:
    await router.write(RouterFrame(drain=DrainOrder(window)))


async def until_closed(conn: ClientConnection) -> list[dict[str, Any]]:
    """Everything that the edge says until it closes with 1001."""
    frames = []
    try:
        while True:
            frames.append(json.loads(await asyncio.wait_for(conn.recv(), SECONDS)))
    except ConnectionClosed:
        assert conn.close_code == 1001
        return frames


def retry(frames: list[dict[str, Any]]) -> int:
    (notice,) = [f["payload"] for f in frames if f["type"] == "sys_notice"]
    assert notice["event"] == "drain"
    value: int = notice["retry_after_ms"]
    return value


async def ready(edge: EdgeServer) -> str | None:
    assert edge.gateway is not None
    return edge.gateway.not_ready()


async def test_an_edge_drains_when_its_router_says_so_and_goes_on_refusing() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY) as conn:
            assert await ready(edge) is None
            await order(router, 0.3)
            await router.until(lambda: router.draining)
            assert await ready(edge) == "this edge drains"
            assert retry(await until_closed(conn)) < 300
        await asyncio.wait_for(edge.drained(), SECONDS)
        with pytest.raises(InvalidStatus) as refused:
            await connect(edge.url + KEY)
        assert refused.value.response.status_code == 503
        assert int(refused.value.response.headers["Retry-After"]) >= 1


async def test_an_order_without_a_window_takes_the_edges_own() -> None:
    router = ScriptedRouter()
    async with running_edge(router, drain_window=0) as edge, connect(edge.url + KEY) as conn:
        await order(router, 0)
        assert retry(await until_closed(conn)) == 0


async def test_clients_leave_in_the_order_in_which_they_shall_come_back() -> None:
    router = ScriptedRouter()
    count, window = 30, 1.5
    async with running_edge(router) as edge:
        conns = [await connect(edge.url + KEY) for _ in range(count)]
        handles = [asked.conn for asked in router.opens]
        await order(router, window)
        said = await asyncio.gather(*map(until_closed, conns))
        await router.until(lambda: len(router.closes) == count)
    retries = [retry(frames) for frames in said]
    for decile in range(10):
        low, high = decile * window * 100, (decile + 1) * window * 100
        assert sum(low <= value < high for value in retries) in (2, 3, 4)
    back = dict(zip(handles, retries, strict=True))
    left = [back[closed.conn] for closed in router.closes]
    assert max(left[:10]) < min(left[20:])


async def test_what_clients_sent_before_is_settled_before_they_leave() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        for index in range(20):
            await conn.send(standard(f"m{index}"))
        await router.until(lambda: len(router.got) == 20)
        await order(router, 30)
        await router.until(lambda: router.draining)
        await router.write(RouterFrame(settled=[(1, 20)]))
        frames = await until_closed(conn)
    acked = [f["meta"]["acked_msg_id"] for f in frames if f["type"] == "sys_ack"]
    assert acked == [f"m{index}" for index in range(20)]


async def test_who_acknowledges_nothing_is_asked_what_it_has_read_before_it_leaves() -> None:
    """It would get all of that again from the edge that it comes to next."""
    router, count = ScriptedRouter(), 5
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        for _ in range(count):
            await router.deliver([router.opens[0].conn], b"{}", want=Want.DONE)
        await order(router, 30)
        assert len(await until_closed(conn)) == count + 1
        await router.until(lambda: router.closes)
    assert router.done == set(range(1, count + 1))
    assert router.outcomes == []


async def test_what_is_not_settled_reaches_the_router_before_the_stream_ends() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router, drain_window=0) as edge, connect(edge.url + KEY) as conn:
        for index in range(20):
            await conn.send(standard(f"m{index}"))
        pong = await conn.ping()
        await asyncio.wait_for(pong, SECONDS)
        await edge.stop()
    assert [got.msg_id for got in router.got] == [f"m{index}" for index in range(20)]
    assert [closed.code for closed in router.closes] == [1001]


async def test_stopping_takes_over_from_a_drain_that_takes_its_time() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        conns = [await connect(edge.url + KEY) for _ in range(5)]
        await order(router, 3000)
        await router.until(lambda: router.draining)
        await asyncio.wait_for(edge.stop(), SECONDS)
        for conn in conns:
            await conn.wait_closed()
            assert conn.close_code == 1001


@pytest.mark.parametrize(("own", "ordered"), [(3000, 0.3), (0.9, 1.2)])
async def test_an_order_takes_over_from_stopping_too(own: float, ordered: float) -> None:
    router = ScriptedRouter()
    windows: list[float] = []
    async with running_edge(router, windows.append, drain_window=own) as edge:
        conns = [await connect(edge.url + KEY) for _ in range(3)]
        stopping = asyncio.ensure_future(edge.stop())
        await router.until(lambda: router.draining)
        await order(router, ordered)
        said = await asyncio.gather(*map(until_closed, conns))
        await asyncio.wait_for(stopping, SECONDS)
    assert windows == [ordered]
    # Who was closed at the first notice got no second one.
    told = [[f["payload"] for f in frames if f["type"] == "sys_notice"] for frames in said]
    later = [notice["retry_after_ms"] for notices in told for notice in notices[1:]]
    assert later
    assert max(later) < 1000 * ordered


async def test_stopping_lasts_as_long_as_the_drain_that_took_over() -> None:
    router = ScriptedRouter()
    async with running_edge(router, drain_window=0) as edge:
        # It ignores the close, so that the drain lasts.
        client = await silent_client(edge)
        stopping = asyncio.ensure_future(edge.stop())
        await router.until(lambda: router.closes)
        for window in (3000, 2000):
            await order(router, window)
        await router.until(lambda: router.draining)
        assert not stopping.done()
        await client.aclose()
        await asyncio.wait_for(stopping, SECONDS)


async def test_a_drain_that_is_over_is_not_planned_anew_by_stopping() -> None:
    router = ScriptedRouter()
    async with running_edge(router, drain_window=3000) as edge:
        client = await silent_client(edge)
        await order(router, 0.1)
        await asyncio.wait_for(edge.drained(), SECONDS)
        await asyncio.wait_for(edge.stop(), SECONDS)
        await client.aclose()


async def test_a_drain_ends_as_soon_as_nobody_is_left() -> None:
    router = ScriptedRouter()
    async with running_edge(router, drain_window=3000) as edge:
        conns = [await connect(edge.url + KEY) for _ in range(10)]
        stopping = asyncio.ensure_future(edge.stop())
        for conn in conns:
            assert json.loads(await conn.recv())["type"] == "sys_notice"
            await conn.close()
        await asyncio.wait_for(stopping, SECONDS)


async def test_a_drain_that_nobody_waits_for_settles_what_they_sent() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY) as conn:
            await conn.send(standard())
            await router.until(lambda: router.got)
            await order(router, 3000)
            await conn.recv()
        await router.until(lambda: router.closes)
        assert edge.gateway is not None
        assert not edge.gateway.drained.is_set()
        await router.write(RouterFrame(settled=[(1, 1)]))
        await asyncio.wait_for(edge.drained(), SECONDS)


async def test_a_router_that_comes_later_hears_that_the_edge_drains() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY):
        await order(router, 3000)
        await router.until(lambda: router.draining)
        router.draining = False
        router.leave()
        await router.until(lambda: len(router.hellos) == 2 and router.draining)
