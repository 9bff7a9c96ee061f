"""The edges in the control API: draining them, and what their clients have yet to take."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import pytest

from maim_protocol.bridge.frames import Closed, DrainOrder, EdgeFrame, PendingBytes
from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth.authentication import OpenAuth
from maim_router.bridge.edge_status import EdgeStatus
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node
from tests.router.control_peer import Served, reason, serve, violation
from tests.router.memory_edge import MemoryEdge


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve() as served:
        yield served


async def drained(served: Served, edge_id: str, **window: int) -> pb.DrainEdgeResponse:
    request = pb.DrainEdgeRequest(edge_id=edge_id)
    if window:
        request.window.seconds = window["seconds"]
    answer: pb.DrainEdgeResponse = await served.stub.DrainEdge(request)
    return answer


async def test_an_edge_is_told_to_drain(served: Served) -> None:
    await served.edge.admitted("anna")
    assert (await drained(served, "edge-1", seconds=60)).connections == 1
    assert await served.edge.drain_order() == DrainOrder(60.0)
    assert (await drained(served, "edge-1")).connections == 1
    assert await served.edge.drain_order() == DrainOrder(0.0)


async def test_an_edge_that_is_not_there_is_not_found_and_those_that_are_get_named(
    served: Served,
) -> None:
    async with type(served.edge)("edge-2").attached(served.node):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await drained(served, "edge-7")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(caught.value) == "EDGE_NOT_FOUND"
    assert "attached: edge-1, edge-2" in str(caught.value.details())


async def test_a_window_is_at_most_an_hour(served: Served) -> None:
    for seconds in (3601, -1):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await drained(served, "edge-1", seconds=seconds)
        assert violation(caught.value) == ("window", f"expected 0 to 3600 s, got {seconds} s")


async def shown(served: Served, uuid: str) -> int:
    request = pb.GetConnectionRequest(connection_uuid=uuid)
    found: int = (await served.stub.GetConnection(request)).connection.pending_bytes
    return found


async def test_what_is_pending_is_shown_until_it_is_taken(served: Served) -> None:
    uuid = await served.edge.admitted("anna")
    assert await shown(served, uuid) == 0
    served.edge.say(EdgeFrame(pending=[PendingBytes(1, 100_000, 7)]))
    other = await served.edge.admitted("bob")
    assert await shown(served, uuid) == 100_000
    rows = (await served.stub.ListConnections(pb.ListConnectionsRequest())).connections
    assert {row.connection_uuid: row.pending_bytes for row in rows} == {uuid: 100_000, other: 0}
    served.edge.say(EdgeFrame(pending=[PendingBytes(1, 0, 0)]))
    await served.edge.admitted("carol")
    assert await shown(served, uuid) == 0


async def test_edges_that_drain_are_marked(served: Served) -> None:
    async with type(served.edge)("edge-2").attached(served.node) as other:
        other.say(EdgeFrame(draining=True))
        await other.admitted("anna")
        edges = (await served.stub.ListEdges(pb.ListEdgesRequest())).edges
        assert {edge.edge_id: edge.draining for edge in edges} == {"edge-1": False, "edge-2": True}


def test_what_was_pending_for_a_connection_that_is_gone_is_forgotten() -> None:
    condition = EdgeStatus()
    condition.hear(EdgeFrame(pending=[PendingBytes(1, 5, 1), PendingBytes(2, 6, 1)]))
    condition.hear(EdgeFrame(closes=[Closed(1, 1000)]))
    assert condition.pending == {2: 6}


async def test_an_edge_that_attaches_again_is_as_it_says_then() -> None:
    node = Node(Hooks(), OpenAuth())
    edge = await MemoryEdge(node).attach()
    edge.send(EdgeFrame(draining=True))
    await edge.nothing()
    assert [link.status.draining for link in node.links] == [True]
    await MemoryEdge(node, epoch=2).attach()
    assert [link.status.draining for link in node.links] == [False]
    await node.stop()
