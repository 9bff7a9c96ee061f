"""Connections share a budget of bytes: the largest of unfinished messages goes first."""

from __future__ import annotations

from functools import partial

import pytest
from websockets.frames import Opcode

from maim_edge.websocket.memory_budget import MemoryBudget
from tests.edge.service.edge_peer import text_frame
from tests.edge.websocket.served.site import ProtocolClass, serving

LIMIT = 4_000_000


@pytest.mark.parametrize("fragmented", [False, True])
async def test_the_largest_unfinished_message_ends_its_connection(
    ws: ProtocolClass, fragmented: bool
) -> None:
    memory = MemoryBudget(LIMIT)
    async with serving(partial(ws, memory=memory)) as site:
        small, small_listener = await site.pair()
        large, large_listener = await site.pair()
        whole = text_frame(b"x" * 300_000)
        small.send(whole[:-1])
        if fragmented:
            large.send(text_frame(b"x" * 50_000, fin=False))
            large.send(text_frame(b"x" * 50_000, fin=False, opcode=Opcode.CONT) * 100)
        else:
            large.send(text_frame(b"x" * 10_000_000)[:5_000_000])
        await large_listener.until(lambda: large_listener.closed)
        assert large_listener.closed[0][0] == 1013
        assert "memory" in large_listener.closed[0][1]
        small.send(whole[-1:])
        await small_listener.until(lambda: small_listener.messages)
        assert small_listener.messages == [b"x" * 300_000]
        assert small_listener.closed == []
        assert memory.used == 0


async def test_small_messages_are_not_counted(ws: ProtocolClass) -> None:
    memory = MemoryBudget(0)
    async with serving(partial(ws, memory=memory)) as site:
        client, listener = await site.pair()
        client.send(text_frame(b"x" * 1000) * 1000)
        await listener.until(lambda: len(listener.messages) == 1000)
        assert (listener.closed, memory.used) == ([], 0)


async def test_a_connection_that_is_lost_holds_nothing(ws: ProtocolClass) -> None:
    memory = MemoryBudget()
    async with serving(partial(ws, memory=memory)) as site:
        client, listener = await site.pair()
        client.send(text_frame(b"x" * 1_000_000)[:500_000])
        other, other_listener = await site.pair()
        other.send(text_frame("behind it"))
        await other_listener.until(lambda: other_listener.messages)
        await client.aclose()
        await listener.until(lambda: listener.closed)
        assert memory.used == 0
