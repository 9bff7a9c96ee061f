"""The bare dialect over real sockets (protocol.md, "Bare messages")."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import payload, running_edge, standard

pytestmark = pytest.mark.usefixtures("each_ws")

KEY = "?api_key=alice&platform=qq"


async def receive(conn: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await asyncio.wait_for(conn.recv(), 10))
    return frame


async def test_bare_is_answered_bare_until_an_envelope_comes() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        handle = router.opens[0].conn
        await conn.send(json.dumps(payload()))
        await conn.send("bad")
        await router.until(lambda: router.got)
        await router.deliver([handle], b'{"n":1}')
        assert await receive(conn) == {"n": 1}
        await conn.send(standard("m2"))
        assert (await receive(conn))["meta"]["acked_msg_id"] == "m2"
        await router.deliver([handle], b'{"n":2}')
        assert (await receive(conn))["payload"] == {"n": 2}
    assert [got.msg_id for got in router.got] == ["x1", "m2"]


async def test_the_address_fixes_the_format() -> None:
    router = ScriptedRouter()
    async with (
        running_edge(router) as edge,
        connect(edge.url + KEY + "&format=bare") as bare,
        connect(edge.url + KEY + "&format=envelope") as wrapped,
    ):
        await bare.send(standard("m1"))
        await wrapped.send(json.dumps(payload()))
        assert (await receive(wrapped))["meta"]["acked_msg_id"] == "x1"
        await router.until(lambda: len(router.got) == 2)
        await router.deliver([asked.conn for asked in router.opens], b'{"n":1}')
        assert await receive(bare) == {"n": 1}
        assert (await receive(wrapped))["payload"] == {"n": 1}


async def test_a_bare_client_hears_of_a_frame_over_the_limit_by_the_close_alone() -> None:
    async with running_edge(ScriptedRouter(), max_message_size=1000) as edge:
        async with connect(edge.url + KEY + "&format=bare") as conn:
            await conn.send("x" * 1001)
            with pytest.raises(ConnectionClosed):
                await receive(conn)
            assert conn.close_code == 1009
