"""Orders of a router to close a connection, over real sockets."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from maim_protocol.bridge.frames import DisconnectOrder, RouterFrame
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import running_edge

pytestmark = pytest.mark.usefixtures("each_ws")

KEY = "?api_key=alice&platform=qq"


async def closing(conn: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(conn.recv(), 15)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code, caught.value.rcvd.reason


@pytest.mark.parametrize(("ordered", "sent"), [(1005, 1011), (5, 1011), (1000, 1000), (4000, 4000)])
async def test_a_close_code_that_no_frame_may_carry_is_1011(ordered: int, sent: int) -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        order = DisconnectOrder(router.opens[0].conn, ordered, "why")
        await router.write(RouterFrame(disconnects=[order]))
        assert (await closing(conn))[0] == sent


async def test_a_long_reason_is_cut_and_not_an_error() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        order = DisconnectOrder(router.opens[0].conn, 4000, "你" * 100)
        await router.write(RouterFrame(disconnects=[order]))
        code, reason = await closing(conn)
    assert code == 4000
    assert reason == "你" * 41
