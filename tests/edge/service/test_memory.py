"""All clients of an edge share its memory; who holds most of it goes first."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.client import connect

from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import (
    RawClient,
    handshake,
    running_edge,
    silent_client,
    text_frame,
)

pytestmark = pytest.mark.usefixtures("each_ws")

LIMIT = 8_000_000


async def test_unfinished_frames_of_many_stay_within_the_memory_and_small_messages_pass() -> None:
    router = ScriptedRouter()
    async with running_edge(router, memory=f"{LIMIT}") as edge:
        hostile = [await RawClient.connect(edge) for _ in range(20)]
        for client in hostile:
            client.send(handshake())
            await client.head()
            client.send(text_frame(b"x" * 10_000_000)[:2_000_000])
        await router.until(lambda: router.closes)
        assert {close.code for close in router.closes} == {1013}
        async with connect(edge.url + "?api_key=k") as honest:
            await honest.send(
                json.dumps({"ver": 1, "msg_id": "m", "type": "custom_a", "payload": {}})
            )
            async with asyncio.timeout(10):
                assert json.loads(await honest.recv())["meta"]["acked_msg_id"] == "m"
        assert edge.gateway is not None
        assert edge.gateway._context.memory.used <= LIMIT
        for client in hostile:
            await client.aclose()


async def test_what_waits_for_clients_that_do_not_read_stays_within_the_memory() -> None:
    router = ScriptedRouter()
    async with running_edge(router, memory=f"{LIMIT}", outbox_bytes=LIMIT) as edge:
        silent = [await silent_client(edge) for _ in range(4)]
        assert edge.gateway is not None
        memory, most = edge.gateway._context.memory, 0
        for index in range(200):
            for asked in router.opens:
                await router.deliver([asked.conn], b'"' + b"x" * 50_000 + b'"', f"d{index}")
            most = max(most, memory.used)
        await router.until(lambda: router.closes)
        assert {close.code for close in router.closes} == {4408}
        assert most <= LIMIT + 4 * 1_000_000
        for client in silent:
            await client.aclose()
