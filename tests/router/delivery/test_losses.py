"""What a router does with messages whose receiver is away, leaves or is lost."""

from __future__ import annotations

import asyncio

from maim_protocol.bridge.frames import (
    BridgeOutcome,
    EdgeFrame,
    Live,
    Open,
    Outcomes,
    Rejection,
)
from maim_protocol.errors import ErrorCode
from maim_router.mailbox import Letter
from maim_router.node import Node
from tests.router.letters import BOB, BOUNDS, gone, ids
from tests.router.memory_edge import Delivered, MemoryEdge


async def test_a_message_for_somebody_who_is_away_waits_and_is_settled(
    node: Node, edge: MemoryEdge
) -> None:
    ordinals = [edge.message(1, msg_id, BOB) for msg_id in ("m1", "m2")]
    assert [await edge.hear(), await edge.hear()] == ordinals
    await edge.admitted(2, "bob")
    assert await ids(edge, 2) == ["m1", "m2"]
    await edge.nothing()


async def test_a_letter_is_forgotten_when_the_client_has_it(node: Node, edge: MemoryEdge) -> None:
    edge.message(1, "m1", BOB)
    await edge.hear()
    await edge.admitted(2, "bob")
    got = await edge.delivered()
    assert node.mailbox_delivery.mailbox is not None
    assert node.mailbox_delivery.mailbox.has(*BOB)
    edge.send(EdgeFrame(taken_through=got.ordinal, done=[(got.ordinal, got.ordinal)]))
    await edge.nothing()
    assert not node.mailbox_delivery.mailbox.has(*BOB)


async def test_a_letter_that_the_client_did_not_get_waits_for_its_next_connection(
    edge: MemoryEdge,
) -> None:
    edge.message(1, "m1", BOB)
    await edge.hear()
    await edge.admitted(2, "bob")
    edge.send(gone(await edge.delivered(), 2))
    edge.close(2, 1006)
    await edge.nothing()
    await edge.admitted(3, "bob")
    assert await ids(edge, 1) == ["m1"]


async def test_a_delivery_that_a_client_left_unanswered_waits_in_its_place(
    edge: MemoryEdge,
) -> None:
    await edge.admitted(2, "bob")
    edge.message(1, "m1", BOB)
    got = await edge.delivered()
    edge.close(2, 1006)
    assert await edge.hear() == 1
    edge.message(1, "m2", BOB)
    assert await edge.hear() == 2
    await edge.admitted(3, "bob")
    assert await ids(edge, 2) == ["m1", "m2"]
    # What its edge says of it later is known.
    edge.send(gone(got, 2))
    await edge.nothing()


async def test_what_comes_right_behind_a_close_is_for_the_next_connection(
    edge: MemoryEdge,
) -> None:
    """The map still names the closed one then."""
    await edge.admitted(2, "bob")
    edge.message(1, "m1", BOB)
    await edge.delivered()
    edge.close(2, 1006)
    edge.message(1, "m2", BOB)
    assert sorted([await edge.hear(), await edge.hear()]) == [1, 2]
    await edge.admitted(3, "bob")
    assert await ids(edge, 2) == ["m1", "m2"]


async def test_what_comes_back_goes_to_the_connection_that_came_meanwhile(
    edge: MemoryEdge,
) -> None:
    """A link that is half open is found dead after the client is back."""
    await edge.admitted(2, "bob")
    edge.message(1, "m1", BOB)
    got = await edge.delivered()
    await edge.admitted(3, "bob")
    edge.send(gone(got, 2))
    again = await edge.delivered()
    assert (again.msg_id, again.conns) == ("m1", (3,))


async def test_what_comes_back_does_not_go_to_those_who_got_it(edge: MemoryEdge) -> None:
    await edge.admitted(2, "bob")
    await edge.admitted(3, "bob")
    edge.message(1, "m1", BOB)
    got = await edge.delivered()
    assert got.conns == (2, 3)
    n = got.ordinal
    edge.send(EdgeFrame(taken_through=n, outcomes=Outcomes([n], [2], [BridgeOutcome.GONE])))
    await edge.nothing()


async def test_a_label_takes_over_what_its_connection_did_not_get_in_order(
    edge: MemoryEdge,
) -> None:
    await edge.admitted(2, "bob", label="L")
    for msg_id in ("m1", "m2"):
        edge.message(1, msg_id, BOB)
    first = await edge.delivered()
    await edge.delivered()
    edge.send(EdgeFrame(taken_through=2, done=[(first.ordinal, first.ordinal)]))
    edge.open(3, "bob", label="L")
    heard = [await edge.hear() for _ in range(3)]
    (got,) = [one for one in heard if isinstance(one, Delivered)]
    assert (got.msg_id, got.conns) == ("m2", (3,))
    edge.message(1, "m3", BOB)
    assert (await edge.delivered()).conns == (3,)


async def test_what_a_lost_edge_had_waits_and_its_senders_are_answered(node: Node) -> None:
    here = await MemoryEdge(node, "here").attach()
    there = await MemoryEdge(node, "there").attach()
    await here.admitted(1, "alice")
    await there.admitted(1, "bob")
    ordinal = here.message(1, "m1", BOB)
    await there.delivered()
    there.serving.cancel()
    assert await here.hear() == ordinal
    await here.admitted(2, "bob")
    assert await ids(here, 1) == ["m1"]


async def test_an_edge_that_comes_back_is_sent_again_what_it_is_not_done_with(
    node: Node, edge: MemoryEdge
) -> None:
    admission = await edge.admitted(2, "bob")
    edge.message(1, "m1", BOB)
    await edge.delivered()
    edge.serving.cancel()
    await asyncio.gather(edge.serving, return_exceptions=True)
    live = Live(Open(2, "bob", "qq"), admission)
    again = await MemoryEdge(node).attach([live])
    assert await ids(again, 1) == ["m1"]


async def test_a_full_mailbox_is_said_and_takes_nothing(edge: MemoryEdge) -> None:
    for number in range(BOUNDS.messages):
        edge.message(1, f"m{number}", BOB)
        assert isinstance(await edge.hear(), int)
    edge.message(1, "one too many", BOB)
    heard = await edge.hear()
    assert isinstance(heard, Rejection)
    assert heard.code == ErrorCode.MAILBOX_FULL


async def test_what_was_acknowledged_is_kept_even_in_a_full_mailbox(edge: MemoryEdge) -> None:
    await edge.admitted(2, "bob")
    for number in range(BOUNDS.messages + 2):
        edge.message(1, f"m{number}", BOB)
    got = [await edge.delivered() for _ in range(BOUNDS.messages + 2)]
    edge.send(EdgeFrame(taken_through=got[-1].ordinal))
    for one in got:
        edge.send(gone(one, 2))
    edge.close(2, 1006)
    await edge.nothing()
    await edge.admitted(3, "bob")
    assert await ids(edge, len(got)) == [one.msg_id for one in got]


async def test_what_an_edge_settled_by_itself_is_kept_even_in_a_full_mailbox(
    edge: MemoryEdge,
) -> None:
    """It says that it took something later than that the receiver is gone."""
    await edge.admitted(2, "bob")
    for number in range(BOUNDS.messages + 2):
        edge.message(1, f"m{number}", BOB)
    got = [await edge.delivered() for _ in range(BOUNDS.messages + 2)]
    assert all(one.settles for one in got)
    edge.close(2, 1006)
    assert [await edge.hear() for _ in got] == [one.settles for one in got]
    await edge.admitted(3, "bob")
    assert await ids(edge, len(got)) == [one.msg_id for one in got]


async def test_an_overdue_letter_is_not_delivered_though_nobody_has_swept_it_yet(
    node: Node, edge: MemoryEdge
) -> None:
    assert node.mailbox_delivery.mailbox is not None
    overdue = Letter(1, *BOB, "m1", "sys_std", b"{}", 1.0, "alice", "qq", expires_at=2.0)
    node.mailbox_delivery.mailbox.put(overdue, lambda stored: None)
    await edge.admitted(2, "bob")
    await edge.nothing()
    assert not node.mailbox_delivery.mailbox.has(*BOB)
