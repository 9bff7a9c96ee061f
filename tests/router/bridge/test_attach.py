"""How edges attach to a router, attach again, are refused and let go."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from maim_protocol.bridge.frames import (
    Admission,
    Closed,
    DisconnectOrder,
    EdgeFrame,
    EdgeMessages,
    Live,
    Open,
    Outcomes,
    Welcome,
)
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.auth.authentication import CallbackAuth, OpenAuth
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.builders import live
from tests.router.memory_edge import MemoryEdge


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0))
    async with asyncio.timeout(30):
        yield node
        await node.stop()


async def refusal(edge: MemoryEdge) -> AttachProblem:
    """Wait until the edge is refused and say why."""
    with pytest.raises(AttachRefused) as refused:
        await edge.serving
    return refused.value.problem


async def test_live_connections_are_in_the_map_when_the_welcome_comes(node: Node) -> None:
    edge = await MemoryEdge(node).attach([live(1, "u-1"), live(2, "u-2", "bob")])
    assert [entry.uuid for entry in node.connections.select()] == ["u-1", "u-2"]
    edge.message(1, "m", ("bob", "qq"))
    assert (await edge.delivered()).conns == (2,)


async def test_a_hello_may_span_frames_and_what_else_they_hold_is_taken_in(node: Node) -> None:
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello(3), live=[live(1)], opens=[Open(7, "carol", "qq")]))
    edge.send(EdgeFrame(live=[live(2)]))
    edge.send(EdgeFrame(live=[live(3)], closes=[Closed(2, 1006)]))
    assert isinstance(await edge.hear(), Welcome)
    await edge.hear()
    await edge.nothing()
    assert sorted(entry.address.conn for entry in node.connections.select()) == [1, 3, 7]


async def test_a_reattached_edge_replaces_its_earlier_stream(node: Node) -> None:
    old = await MemoryEdge(node).attach()
    admission = await old.admitted(1, "alice")
    again = Live(Open(1, "alice", "qq"), admission)
    new = await MemoryEdge(node).attach([again])
    await old.serving
    assert len(node.links) == 1
    assert node.connections.get(admission.connection_uuid) is not None
    await new.admitted(2, "bob")


async def test_late_frames_of_a_replaced_stream_do_nothing(node: Node) -> None:
    old = await MemoryEdge(node).attach([live(1)])
    new = MemoryEdge(node)
    new.send(EdgeFrame(hello=new.hello(1), live=[live(1)]))
    old.send(EdgeFrame(closes=[Closed(1, 1006)], opens=[Open(5, "mallory", "qq")]))
    assert isinstance(await new.hear(), Welcome)
    old.send(EdgeFrame(closes=[Closed(1, 1006)]))
    await new.nothing()
    await old.serving
    assert [entry.address.conn for entry in node.connections.select()] == [1]


async def test_a_later_run_of_an_edge_replaces_the_earlier(node: Node) -> None:
    old = await MemoryEdge(node, epoch=1).attach([live(1)])
    await MemoryEdge(node, epoch=2).attach()
    await old.serving
    assert [link.key.epoch for link in node.links] == [2]
    assert len(node.connections) == 0


async def test_an_older_run_of_an_edge_is_refused(node: Node) -> None:
    await MemoryEdge(node, epoch=2).attach([live(1)])
    old = MemoryEdge(node, epoch=1)
    old.send(EdgeFrame(hello=old.hello()))
    assert await refusal(old) is AttachProblem.EPOCH
    assert len(node.connections) == 1


async def test_another_version_of_the_protocol_is_refused(node: Node) -> None:
    edge = MemoryEdge(node, version=99)
    edge.send(EdgeFrame(hello=edge.hello()))
    assert await refusal(edge) is AttachProblem.VERSION


async def test_an_open_router_refuses_an_edge_that_others_reach(node: Node) -> None:
    edge = MemoryEdge(node, address="0.0.0.0:18040")
    edge.send(EdgeFrame(hello=edge.hello()))
    assert await refusal(edge) is AttachProblem.OPEN


async def test_a_router_with_callbacks_takes_every_edge() -> None:
    hooks = Hooks(on_auth=lambda metadata: True)
    node = Node(hooks, CallbackAuth(hooks, 10.0))
    await MemoryEdge(node, address="0.0.0.0:18040").attach()
    await node.stop()


@pytest.mark.parametrize("first", [None, EdgeFrame()], ids=["nothing", "no hello"])
async def test_an_edge_that_says_no_hello_is_refused(node: Node, first: EdgeFrame | None) -> None:
    edge = MemoryEdge(node)
    edge.send(first)
    assert await refusal(edge) is AttachProblem.PROTOCOL


async def test_a_stream_that_ends_within_the_hello_is_refused(node: Node) -> None:
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello(2), live=[live(1)]))
    edge.send(None)
    assert await refusal(edge) is AttachProblem.PROTOCOL
    assert len(node.connections) == 0


async def test_a_hello_that_goes_on_about_nothing_is_refused(node: Node) -> None:
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello(10**9), live=[live(1)]))
    edge.send(EdgeFrame())
    assert await refusal(edge) is AttachProblem.PROTOCOL


async def test_a_hello_with_two_connections_of_one_handle_is_refused(node: Node) -> None:
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello(2), live=[live(1, "u-1"), live(1, "u-2")]))
    assert await refusal(edge) is AttachProblem.PROTOCOL
    assert len(node.connections) == 0


async def test_an_edge_that_never_ends_its_hello_is_refused() -> None:
    node = Node(Hooks(), OpenAuth(), NodeOptions(hello_timeout=0.01))
    assert await refusal(MemoryEdge(node)) is AttachProblem.PROTOCOL
    await node.stop()


async def test_an_edge_without_a_name_is_refused(node: Node) -> None:
    edge = MemoryEdge(node, edge_id="")
    edge.send(EdgeFrame(hello=edge.hello()))
    assert await refusal(edge) is AttachProblem.PROTOCOL


@pytest.mark.parametrize(
    "frame",
    [
        EdgeFrame(messages=EdgeMessages([1])),
        EdgeFrame(messages=EdgeMessages([1], [1], [""], ["t"], [""], [""], [b""], [9])),
        EdgeFrame(outcomes=Outcomes([1], [1], [99])),
    ],
    ids=["unequal columns", "unknown transfer", "unknown outcome"],
)
async def test_a_malformed_frame_ends_the_attachment(node: Node, frame: EdgeFrame) -> None:
    edge = await MemoryEdge(node).attach([live(1)])
    edge.send(frame)
    assert await refusal(edge) is AttachProblem.PROTOCOL
    assert (node.links, len(node.connections)) == ([], 0)


async def test_a_restored_connection_gives_way_to_one_that_came_later(node: Node) -> None:
    """The edge was cut off; its client came back elsewhere; the edge comes back too."""
    there = await MemoryEdge(node, "there").attach()
    there.send(EdgeFrame(opens=[Open(1, "alice", "qq", "L", connected_at=200.0)]))
    await there.hear()
    old = Live(Open(8, "alice", "qq", "L", connected_at=100.0), Admission("u-8", "alice"))
    here = await MemoryEdge(node, "here").attach([old])
    order = await here.hear()
    assert isinstance(order, DisconnectOrder)
    assert (order.conn, order.code) == (8, 4409)
    await there.nothing()
    assert [entry.address.edge.edge_id for entry in node.connections.select()] == ["there"]


async def test_cancelling_ends_the_attachment(node: Node) -> None:
    edge = await MemoryEdge(node).attach([live(1)])
    edge.serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await edge.serving
    assert node.links == []


async def test_stopping_ends_every_attachment_and_tells_the_application() -> None:
    left: list[str] = []
    hooks = Hooks(on_disconnect=lambda uuid, metadata: left.append(uuid))
    node = Node(hooks, OpenAuth())
    edges = [await MemoryEdge(node, name).attach([live(1, name)]) for name in ("a", "b")]
    async with asyncio.timeout(10):
        await node.stop()
        for edge in edges:
            await edge.serving
    assert sorted(left) == ["a", "b"]
    assert (node.links, len(node.connections)) == ([], 0)


async def test_stopping_lets_a_handler_finish_and_tells_the_edge_that_it_did() -> None:
    gate, begun = asyncio.Event(), asyncio.Event()

    async def handler(payload: Any, metadata: dict[str, Any]) -> None:
        begun.set()
        await gate.wait()

    node = Node(Hooks(custom_handlers={"custom_x": handler}), OpenAuth())
    node.options = dataclasses.replace(node.options, stop_timeout=20.0)
    edge = await MemoryEdge(node).attach([live(1)])
    ordinal = edge.message(1, "m", type="custom_x")
    await begun.wait()
    stopping = asyncio.ensure_future(node.stop())
    await asyncio.sleep(0)
    gate.set()
    async with asyncio.timeout(10):
        await stopping
        assert await edge.hear() == ordinal


async def test_a_stopped_router_takes_no_edge() -> None:
    node = Node(Hooks(), OpenAuth())
    await node.stop()
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello()))
    async with asyncio.timeout(10):
        await edge.serving
    assert node.links == []
