"""A router with session modes: who gets a message, and what a takeover brings along."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maim_protocol.bridge.frames import (
    BridgeOutcome,
    DisconnectOrder,
    EdgeFrame,
    Live,
    Open,
    Outcomes,
    Refused,
    Verdict,
)
from maim_protocol.errors import Refusal
from maim_router.auth.authentication import OpenAuth
from maim_router.connection_map import MemoryConnectionMap
from maim_router.connection_map.session_modes import read_session_modes
from maim_router.hooks.callbacks import Hooks
from maim_router.mailbox import Bounds, MemoryMailbox
from maim_router.node import Node, NodeOptions
from tests.router.letters import running
from tests.router.memory_edge import Delivered, MemoryEdge

BOB = ("bob", "line")
MODES = "share,line=standby,alone=reject,newest=replace"


def make(hooks: Hooks | None = None) -> Node:
    connections = MemoryConnectionMap(read_session_modes(MODES))
    mailbox = MemoryMailbox(Bounds(messages=10, bytes=1000, total_bytes=10_000))
    options = NodeOptions(stop_timeout=0.1)
    return Node(hooks or Hooks(), OpenAuth(), options, connections, mailbox)


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running(make()) as node:
        yield node


@pytest.fixture
async def edge(node: Node) -> MemoryEdge:
    """An edge with alice as 1, and bob as 2 and, behind that, 3."""
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    await edge.admitted(2, *BOB)
    await edge.admitted(3, *BOB)
    return edge


async def got_by(edge: MemoryEdge) -> tuple[str, tuple[int, ...]]:
    """Which message is delivered next, and to whom."""
    delivered = await edge.delivered()
    return delivered.msg_id, delivered.conns


def gone(got: Delivered, conn: int) -> EdgeFrame:
    n = got.ordinal
    outcomes = Outcomes([n], [conn], [BridgeOutcome.GONE])
    return EdgeFrame(taken_through=n, done=[(n, n)], outcomes=outcomes)


async def test_of_a_line_only_the_first_gets_messages_of_every_kind(
    node: Node, edge: MemoryEdge
) -> None:
    edge.message(1, "relayed", BOB)
    assert await got_by(edge) == ("relayed", (2,))
    for sending in (
        node.messenger.send(b"{}", user_id="bob", platform="line", timeout=0.01),
        node.messenger.send_custom("news", b"{}", user_id="bob", timeout=0.01),
        node.messenger.send_custom("news", b"{}", user_id="bob", platform="line", timeout=0.01),
        node.messenger.broadcast(b"{}", platform="line", timeout=0.01),
    ):
        await sending
        assert (await edge.delivered()).conns == (2,)
    await edge.nothing()


async def test_one_that_waits_is_reached_by_its_id(node: Node, edge: MemoryEdge) -> None:
    _, second = node.connections.select(user_id="bob")
    await node.messenger.send_custom("news", b"{}", connection_uuid=second.uuid, timeout=0.01)
    assert (await edge.delivered()).conns == (3,)


@pytest.mark.parametrize("closes_first", [False, True])
async def test_who_takes_over_gets_what_the_one_before_did_not(
    edge: MemoryEdge, closes_first: bool
) -> None:
    edge.message(1, "m1", BOB)
    got = await edge.delivered()
    if closes_first:
        edge.close(2, 1006)
        assert await got_by(edge) == ("m1", (3,))
        assert await edge.hear() == 1
        edge.send(gone(got, 2))
    else:
        edge.send(gone(got, 2))
        edge.close(2, 1006)
        assert await got_by(edge) == ("m1", (3,))
    edge.message(1, "m2", BOB)
    assert await got_by(edge) == ("m2", (3,))
    await edge.nothing()


async def test_what_waits_for_a_line_goes_to_its_first_and_on_to_who_takes_over(
    edge: MemoryEdge,
) -> None:
    dora = ("dora", "line")
    ordinal = edge.message(1, "m1", dora)
    assert await edge.hear() == ordinal
    await edge.admitted(4, *dora)
    got = await edge.delivered()
    await edge.admitted(5, *dora)
    await edge.nothing()
    edge.close(4, 1006)
    assert await got_by(edge) == ("m1", (5,))
    edge.send(gone(got, 4))
    await edge.nothing()


async def test_a_second_one_is_refused_where_one_alone_may_be(edge: MemoryEdge) -> None:
    await edge.admitted(4, "bob", "alone")
    edge.open(5, "bob", "alone")
    verdict = await edge.hear()
    text = "the user has another connection on this platform"
    assert verdict == Verdict(5, Refused(Refusal.TOO_MANY_CONNECTIONS, text))
    edge.close(4)
    await edge.admitted(6, "bob", "alone")


async def test_a_newer_one_ends_the_older_where_the_newest_replaces(edge: MemoryEdge) -> None:
    await edge.admitted(4, "bob", "newest")
    edge.open(5, "bob", "newest")
    heard = [await edge.hear(), await edge.hear()]
    text = "replaced by a newer connection of the same user"
    assert DisconnectOrder(4, 4409, text) in heard
    assert any(isinstance(one, Verdict) and one.conn == 5 for one in heard)


async def test_what_an_edge_announces_obeys_the_modes_by_age(edge: MemoryEdge, node: Node) -> None:
    platforms = ("line", "alone", "newest")
    live = []
    for conn, platform in enumerate(platforms, 1):
        admission = await edge.admitted(10 + conn, "carol", platform)
        live.append(Live(Open(10 + conn, "carol", platform, connected_at=9.0), admission))
    edge.send(None)
    await edge.serving
    later = await MemoryEdge(node, "edge-2").attach()
    for conn, platform in enumerate(platforms, 1):
        later.send(EdgeFrame(opens=[Open(conn, "carol", platform, connected_at=10.0)]))
        await later.hear()
    again = await MemoryEdge(node).attach(live)
    closed = [await later.hear(), await again.hear()]
    assert [(type(one), one.conn, one.code) for one in closed] == [  # type: ignore[union-attr]
        (DisconnectOrder, 2, 4429),
        (DisconnectOrder, 13, 4409),
    ]
    (first,) = node.connections.find("carol", "line")
    assert first.address.conn == 11


async def test_the_application_is_told_of_all_who_leave_when_the_router_stops() -> None:
    told: list[tuple[str, str]] = []
    hooks = Hooks(
        on_connect=lambda uuid, metadata: told.append(("in", uuid)),
        on_disconnect=lambda uuid, metadata: told.append(("out", uuid)),
    )
    node = make(hooks)
    edge = await MemoryEdge(node).attach()
    uuid = (await edge.admitted(1, "alice")).connection_uuid
    await node.stop()
    assert told == [("in", uuid), ("out", uuid)]
