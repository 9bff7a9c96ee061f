"""What a server is told of a message whose receiver is away or leaves."""

from __future__ import annotations

import asyncio

from maim_protocol.bridge.frames import (
    BridgeOutcome,
    EdgeFrame,
    Outcomes,
)
from maim_router.bridge.outcomes import Outcome
from maim_router.node import Node
from tests.router.letters import BOB, gone
from tests.router.memory_edge import MemoryEdge


async def test_a_server_s_message_for_somebody_who_is_away_is_queued(node: Node) -> None:
    report = await node.messenger.send(b"{}", user_id="bob", platform="qq", ttl=60.0)
    assert (report.outcome, report.outcomes) == (Outcome.QUEUED, {})
    assert report.expires_at > 0


async def test_who_waits_for_an_acknowledgement_gets_it_when_the_receiver_returns(
    node: Node, edge: MemoryEdge
) -> None:
    sending = asyncio.ensure_future(
        node.messenger.send(b"{}", user_id="bob", platform="qq", wait_for="acked", timeout=20)
    )
    await asyncio.sleep(0)
    admission = await edge.admitted(2, "bob")
    got = await edge.delivered()
    n = got.ordinal
    acked = Outcomes([n], [2], [BridgeOutcome.ACKED])
    edge.send(EdgeFrame(taken_through=n, done=[(n, n)], outcomes=acked))
    report = await sending
    assert report.outcomes == {admission.connection_uuid: Outcome.ACKED}


async def test_a_server_s_message_that_its_receiver_left_unread_is_queued(
    node: Node, edge: MemoryEdge
) -> None:
    admission = await edge.admitted(2, "bob")
    sending = asyncio.ensure_future(node.messenger.send(b"{}", user_id="bob", platform="qq"))
    edge.send(gone(await edge.delivered(), 2, BridgeOutcome.SLOW))
    report = await sending
    assert report.outcomes == {admission.connection_uuid: Outcome.QUEUED}
    assert report.expires_at > 0


async def test_what_a_connection_left_unanswered_is_waited_for_until_the_next_one_has_it(
    node: Node, edge: MemoryEdge
) -> None:
    first = await edge.admitted(2, "bob")
    sending = asyncio.ensure_future(
        node.messenger.send(b"{}", user_id="bob", platform="qq", wait_for="acked", timeout=20)
    )
    got = await edge.delivered()
    edge.report(got, BridgeOutcome.WRITTEN, 2)
    edge.send(gone(got, 2))
    edge.close(2, 1006)
    uuids = []
    for conn, code in ((3, BridgeOutcome.GONE), (4, BridgeOutcome.ACKED)):
        uuids.append((await edge.admitted(conn, "bob")).connection_uuid)
        got = await edge.delivered()
        assert not sending.done()
        edge.send(gone(got, conn, code))
        edge.close(conn, 1006)
    report = await sending
    assert report.outcomes == {
        first.connection_uuid: Outcome.QUEUED,
        uuids[0]: Outcome.QUEUED,
        uuids[1]: Outcome.ACKED,
    }
    assert report.outcome is Outcome.ACKED


async def test_what_came_back_and_is_not_fetched_in_its_time_expires(
    node: Node, edge: MemoryEdge
) -> None:
    admission = await edge.admitted(2, "bob")
    sending = asyncio.ensure_future(
        node.messenger.send(
            b"{}", user_id="bob", platform="qq", wait_for="acked", timeout=20, ttl=0.05
        )
    )
    edge.send(gone(await edge.delivered(), 2))
    report = await sending
    assert report.outcomes == {admission.connection_uuid: Outcome.EXPIRED}


async def test_a_message_that_is_not_fetched_in_its_time_expires(
    node: Node, edge: MemoryEdge
) -> None:
    report = await node.messenger.send(
        b"{}", user_id="bob", platform="qq", wait_for="acked", timeout=20, ttl=0.01
    )
    assert report.outcome is Outcome.EXPIRED
    await edge.admitted(2, "bob")
    await edge.nothing()


async def test_it_expires_where_there_is_no_edge_to_come_to(node: Node) -> None:
    expired = await node.messenger.send(
        b"{}", user_id="bob", platform="qq", wait_for="acked", timeout=20, ttl=0.01
    )
    assert expired.outcome is Outcome.EXPIRED
    assert node.mailbox_delivery.mailbox is not None
    assert not node.mailbox_delivery.mailbox.has(*BOB)


async def test_a_message_for_one_connection_or_for_everybody_does_not_wait(node: Node) -> None:
    to_all = await node.messenger.broadcast(b"{}")
    custom = await node.messenger.send_custom("x", b"{}", user_id="bob")
    assert {to_all.outcome, custom.outcome} == {Outcome.NO_CONNECTION}
