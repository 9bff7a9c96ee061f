"""Messages whose receiver is on the sender's own edge: a delivery settles them there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from maim_protocol.bridge.frames import Admission, EdgeFrame, Live, Open, Rejection
from maim_router.auth.authentication import OpenAuth
from maim_router.events import Inbound
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.memory_edge import MemoryEdge

BOB = ("bob", "qq")
MESSAGE = Inbound(7, 1, "m1", "sys_std", *BOB, b"{}")


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0))
    async with asyncio.timeout(30):
        yield node
        await node.stop()


async def pair(node: Node, edge_id: str = "edge-1") -> tuple[MemoryEdge, list[Live]]:
    """An edge with alice and bob, and what it would announce of them."""
    edge = await MemoryEdge(node, edge_id).attach()
    live = []
    for conn, name in ((1, "alice"), (2, "bob")):
        admission = await edge.admitted(conn, name)
        live.append(Live(Open(conn, name, "qq"), Admission(admission.connection_uuid, name)))
    return edge, live


async def test_the_router_says_nothing_more_of_what_a_delivery_settled(node: Node) -> None:
    edge, _ = await pair(node)
    edge.replay(MESSAGE)
    got = await edge.delivered()
    assert got.settles == 7
    edge.send(EdgeFrame(taken_through=got.ordinal, done=[(got.ordinal, got.ordinal)]))
    await edge.nothing()


async def test_an_edge_may_report_long_after_it_took_something(node: Node) -> None:
    edge, _ = await pair(node)
    for ordinal in range(1, 101):
        edge.replay(Inbound(ordinal, 1, f"m{ordinal}", "sys_std", *BOB, b"{}"))
    settled = [(await edge.delivered()).settles for _ in range(100)]
    assert settled == list(range(1, 101))
    edge.send(EdgeFrame(taken_through=100, done=[(1, 100)]))
    edge.replay(Inbound(101, 1, "m50", "sys_std", *BOB, b"{}"))
    assert await edge.hear() == 101


async def test_a_duplicate_waits_until_the_edge_says_that_it_took_the_first(node: Node) -> None:
    here, _ = await pair(node)
    there = await MemoryEdge(node, "there").attach()
    await there.admitted(1, "alice")
    here.replay(MESSAGE)
    got = await here.delivered()
    there.replay(Inbound(3, 1, "m1", "sys_std", *BOB, b"{}"))
    await there.nothing()
    here.send(EdgeFrame(taken_through=got.ordinal))
    assert await there.hear() == 3
    await here.nothing()


async def test_what_was_not_taken_when_the_stream_broke_is_delivered_again(node: Node) -> None:
    edge, live = await pair(node)
    edge.replay(MESSAGE)
    await edge.delivered()
    edge.send(None)
    await edge.serving
    again = await MemoryEdge(node).attach(live)
    again.replay(MESSAGE)
    assert (await again.delivered()).settles == 7


async def test_what_was_taken_when_the_stream_broke_is_settled_when_it_comes_again(
    node: Node,
) -> None:
    edge, live = await pair(node)
    edge.replay(MESSAGE)
    got = await edge.delivered()
    edge.send(EdgeFrame(taken_through=got.ordinal))
    edge.send(None)
    await edge.serving
    again = await MemoryEdge(node).attach(live)
    again.replay(MESSAGE)
    assert await again.hear() == 7


async def test_a_receiver_on_another_edge_too_is_waited_for(node: Node) -> None:
    here, _ = await pair(node)
    there = await MemoryEdge(node, "there").attach()
    await there.admitted(5, "bob")
    here.replay(MESSAGE)
    got, other = await here.delivered(), await there.delivered()
    assert (got.settles, other.settles) == (0, 0)
    here.send(EdgeFrame(taken_through=got.ordinal))
    await here.nothing()
    there.send(EdgeFrame(taken_through=other.ordinal))
    assert await here.hear() == 7


async def test_one_frame_may_hold_what_goes_here_and_there_and_nowhere(node: Node) -> None:
    here, _ = await pair(node)
    there = await MemoryEdge(node, "there").attach()
    await there.admitted(5, "carol")
    keys = ["bob", "carol", "nobody", "bob"]
    here.replay(*[Inbound(n, 1, "", "sys_std", key, "qq", b"{}") for n, key in enumerate(keys, 1)])
    other = await there.delivered()
    heard = [await here.hear() for _ in range(3)]
    rejected = [one.ordinal for one in heard if isinstance(one, Rejection)]
    assert rejected == [3]
    assert other.settles == 0
    there.send(EdgeFrame(taken_through=other.ordinal))
    assert await here.hear() == 2
