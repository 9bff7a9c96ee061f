"""What the control API shows of the connection map, and disconnecting."""

from __future__ import annotations

import grpc
import pytest

from maim_protocol.bridge.frames import Admission, Refused
from maim_protocol.v1 import router_pb2 as pb
from tests.router.control_peer import UNKNOWN, Served, message, reason


async def test_pages_are_complete_while_connections_come_and_go(served: Served) -> None:
    uuids = [await served.edge.admitted(f"u{n}", connected_at=float(n)) for n in range(7)]
    request = pb.ListConnectionsRequest(page_size=3)
    first = await served.stub.ListConnections(request)
    assert first.total == 7
    # The page's last connection goes and a new one comes: no other is repeated or left out.
    await served.stub.Disconnect(pb.DisconnectRequest(connection_uuid=uuids[2]))
    uuids.append(await served.edge.admitted("u7", connected_at=7.0))
    request.page_token = first.next_page_token
    second = await served.stub.ListConnections(request)
    request.page_token = second.next_page_token
    third = await served.stub.ListConnections(request)
    pages = [[c.connection_uuid for c in page.connections] for page in (first, second, third)]
    assert pages == [uuids[:3], uuids[3:6], uuids[6:]]
    assert third.next_page_token == ""


async def test_connections_are_listed_by_user_platform_and_edge(served: Served) -> None:
    await served.edge.admitted("anna", "one")
    await served.edge.admitted("anna", "two")
    await served.edge.admitted("bob", "two")

    async def users(**filters: str) -> list[str]:
        request = pb.ListConnectionsRequest(**filters)
        found = (await served.stub.ListConnections(request)).connections
        return [f"{item.user_id}/{item.platform}" for item in found]

    assert await users(user_id="anna") == ["anna/one", "anna/two"]
    assert await users(platform="two", edge_id="edge-1") == ["anna/two", "bob/two"]
    assert await users(edge_id="edge-2") == []


async def test_one_connection_is_shown_without_its_credential(served: Served) -> None:
    uuid = await served.edge.admitted("anna", connected_at=12.5)
    request = pb.GetConnectionRequest(connection_uuid=uuid.upper())
    found = (await served.stub.GetConnection(request)).connection
    assert found == pb.Connection(
        connection_uuid=uuid,
        user_id="anna",
        platform="test",
        edge_id="edge-1",
        client_ip="192.0.2.1",
        connected_at=12.5,
    )


async def test_an_unknown_connection_is_not_found(served: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await served.stub.GetConnection(pb.GetConnectionRequest(connection_uuid=UNKNOWN))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert reason(caught.value) == "CONNECTION_NOT_FOUND"


async def test_users_edges_and_stats_are_shown(served: Served) -> None:
    for user, platform in (("bob", "one"), ("anna", "two"), ("anna", "one"), ("anna", "one")):
        await served.edge.admitted(user, platform)
    users = (await served.stub.ListUsers(pb.ListUsersRequest())).users
    assert [(u.user_id, list(u.platforms), u.connections) for u in users] == [
        ("anna", ["one", "two"], 3),
        ("bob", ["one"], 1),
    ]
    [edge] = (await served.stub.ListEdges(pb.ListEdgesRequest())).edges
    assert (edge.edge_id, edge.epoch, edge.connections) == ("edge-1", 1, 4)
    await served.stub.Broadcast(pb.BroadcastRequest(message=message()))
    stats = await served.stub.GetStats(pb.GetStatsRequest())
    assert (stats.current_users, stats.current_connections, stats.deliveries) == (2, 4, 4)
    assert (stats.total_auth_requests, stats.successful_auths, stats.failed_auths) == (4, 4, 0)
    assert list(stats.edges) == [edge]
    assert stats.uptime_seconds > 0


async def test_deliveries_of_an_edge_that_left_still_count(served: Served) -> None:
    async with type(served.edge)("edge-2").attached(served.node) as other:
        await other.admitted("anna")
        await served.stub.SendMessage(pb.SendMessageRequest(message=message()))
    stats = await served.stub.GetStats(pb.GetStatsRequest())
    assert (stats.deliveries, len(stats.edges)) == (1, 1)


async def test_disconnect_closes_what_matches_every_selector(served: Served) -> None:
    await served.edge.admitted("anna", "one")
    await served.edge.admitted("anna", "two")
    await served.edge.admitted("bob", "two")
    request = pb.DisconnectRequest(user_id="anna", platform="two", code=4999, reason="bye")
    assert (await served.stub.Disconnect(request)).disconnected == 1
    by_key = pb.DisconnectRequest(api_key="bob")
    assert (await served.stub.Disconnect(by_key)).disconnected == 1
    closes = [(order.conn, order.code, order.reason) for order in await served.edge.disconnects(2)]
    assert closes == [(2, 4999, "bye"), (3, 4403, "")]


async def test_disconnect_may_refuse_the_same_from_now_on(served: Served) -> None:
    await served.edge.admitted("anna", "one")
    request = pb.DisconnectRequest(user_id="anna", platform="one", refuse=True)
    await served.stub.Disconnect(request)
    assert isinstance(await served.edge.connect("anna", "one"), Refused)
    assert isinstance(await served.edge.connect("anna", "two"), Admission)


async def test_refusing_one_connection_refuses_its_user_platform_and_key(served: Served) -> None:
    uuid = await served.edge.admitted("anna", "one")
    request = pb.DisconnectRequest(connection_uuid=uuid, refuse=True)
    assert (await served.stub.Disconnect(request)).disconnected == 1
    assert isinstance(await served.edge.connect("anna", "one"), Refused)
    assert isinstance(await served.edge.connect("anna", "two"), Admission)
