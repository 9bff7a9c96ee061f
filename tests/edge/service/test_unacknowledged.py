"""Clients that acknowledge nothing: an edge asks them by pings what they have read."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect

from maim_edge.delivery.delivery_window import MOST_MESSAGES, PROBE_MESSAGES
from maim_protocol.bridge.frames import (
    Admission,
    BridgeOutcome,
    Deliveries,
    RouterFrame,
    Verdict,
    Want,
)
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import RawClient, handshake, running_edge

pytestmark = pytest.mark.usefixtures("each_ws")

BATCH = 1000
KEY = "?api_key=k"


async def deliver(router: ScriptedRouter, conn: int, count: int) -> None:
    """Send messages that the router keeps until it knows that the client has them."""
    columns = Deliveries()
    for _ in range(count):
        router.add(columns, [conn], b"{}", want=Want.DONE)
    await router.write(RouterFrame(deliveries=columns))


async def test_one_that_answers_pings_is_known_to_have_what_it_read() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY, max_queue=None):
        await deliver(router, router.opens[0].conn, PROBE_MESSAGES)
        await router.until(lambda: len(router.done) == PROBE_MESSAGES)
        assert router.outcomes == []


async def test_one_that_much_waited_for_when_it_came_is_asked_too() -> None:
    """It is delivered with the verdict, before there is a socket to write to."""
    router = ScriptedRouter(verdict=lambda _: None)
    async with running_edge(router) as edge:
        coming = asyncio.ensure_future(connect(edge.url + KEY, max_queue=None).__aenter__())
        await router.until(lambda: router.opens)
        (asked,) = router.opens
        columns = Deliveries()
        for _ in range(PROBE_MESSAGES):
            router.add(columns, [asked.conn], b"{}", want=Want.DONE)
        verdicts = [Verdict(asked.conn, Admission("uuid", "k"))]
        await router.write(RouterFrame(verdicts=verdicts, deliveries=columns))
        client = await coming
        await router.until(lambda: len(router.done) == PROBE_MESSAGES)
        assert router.outcomes == []
        await client.close()


async def test_one_that_answers_nothing_at_all_is_slow_in_the_end_and_loses_nothing() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        reading = asyncio.ensure_future(client.reader.read())
        sent = 0
        while not router.closes:
            await deliver(router, router.opens[0].conn, BATCH)
            sent += BATCH
        await router.until(lambda: len(router.done) == sent)
        assert router.closes[0].code == 4408
        assert sent > MOST_MESSAGES
        told = {ordinal for ordinal, _, code in router.outcomes if code != BridgeOutcome.WRITTEN}
        assert told == set(range(1, sent + 1))
        await client.aclose()
        await asyncio.gather(reading, return_exceptions=True)
