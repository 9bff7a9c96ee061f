"""Pings of the server, and who is dropped for want of an answer."""

from __future__ import annotations

from websockets.frames import Opcode

from tests.edge.service.edge_peer import RawClient, text_frame
from tests.edge.websocket.served.site import ProtocolClass, serving


async def answer(client: RawClient, times: int) -> None:
    while times:
        opcode, data = await client.frame()
        if opcode is Opcode.PING:
            client.send(text_frame(data, opcode=Opcode.PONG))
            times -= 1


async def test_a_peer_that_answers_stays_and_one_that_does_not_is_dropped(
    ws: ProtocolClass,
) -> None:
    async with serving(ws, ws_ping_interval=0.03, ws_ping_timeout=0.3) as site:
        silent, control_only = await site.pair()
        client, listener = await site.pair()
        while not control_only.closed:
            await answer(client, 1)
        assert control_only.closed == [(1006, "")]
        await answer(client, 3)
        assert listener.closed == []
        await silent.rest()


async def test_without_a_timeout_peers_are_pinged_and_never_dropped(ws: ProtocolClass) -> None:
    async with serving(ws, ws_ping_interval=0.02, ws_ping_timeout=None) as site:
        client, listener = await site.pair()
        for _ in range(5):
            assert (await client.frame())[0] is Opcode.PING
        assert listener.closed == []


async def test_pings_begin_again_after_a_time_without_connections(ws: ProtocolClass) -> None:
    async with serving(ws, ws_ping_interval=0.02, ws_ping_timeout=5) as site:
        for _ in range(2):
            client, listener = await site.pair()
            await answer(client, 2)
            await client.aclose()
            await listener.end()
            await site.empty()
