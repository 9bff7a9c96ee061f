"""A whole router, with edges in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from maim_protocol.bridge.frames import (
    CHUNK_BYTES,
    Admission,
    DisconnectOrder,
    EdgeFrame,
    Open,
    Refused,
    Rejection,
    Verdict,
    Want,
)
from maim_protocol.errors import ErrorCode, Refusal
from maim_router.auth.authentication import CallbackAuth, OpenAuth
from maim_router.events import EdgeKey, Inbound
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.memory_edge import MemoryEdge

BOB = ("bob", "qq")


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0))
    async with asyncio.timeout(30):
        yield node
        await node.stop()


async def test_a_connection_is_let_in_and_in_the_map_before_its_edge_hears_of_it(
    node: Node,
) -> None:
    edge = await MemoryEdge(node).attach()
    admission = await edge.admitted(1, "alice")
    assert admission.user_id == "alice"
    entry = node.connections.get(admission.connection_uuid)
    assert entry is not None
    assert (entry.user_id, entry.platform) == ("alice", "qq")


async def test_a_refused_connection_is_told_why_and_reaches_nothing() -> None:
    seen: list[str] = []
    hooks = Hooks(
        on_auth=lambda metadata: metadata["api_key"] != "wrong",
        on_message=lambda message, metadata: seen.append("message"),
        on_connect=lambda uuid, metadata: seen.append("connect"),
        on_disconnect=lambda uuid, metadata: seen.append("disconnect"),
    )
    node = Node(hooks, CallbackAuth(hooks, 10.0))
    edge = await MemoryEdge(node).attach()
    edge.open(1, "wrong")
    text = "the credential was not accepted"
    assert await edge.hear() == Verdict(1, Refused(Refusal.UNAUTHENTICATED, text))
    edge.message(1, "m", BOB)
    assert isinstance(await edge.hear(), Rejection)
    edge.close(1)
    await node.stop()
    assert (seen, len(node.connections)) == ([], 0)


async def test_a_client_that_leaves_during_auth_is_never_admitted() -> None:
    gate = asyncio.Event()

    async def on_auth(metadata: dict[str, Any]) -> bool:
        return metadata["api_key"] == "quick" or await gate.wait()

    hooks = Hooks(on_auth=on_auth)
    node = Node(hooks, CallbackAuth(hooks, 10.0))
    edge = await MemoryEdge(node).attach()
    edge.open(1, "slow")
    edge.close(1, 1006)
    await edge.admitted(2, "quick")
    gate.set()
    await edge.admitted(3, "quick")
    assert [entry.user_id for entry in node.connections.select()] == ["quick", "quick"]
    await node.stop()


async def test_a_message_is_relayed_to_another_edge_and_settled_when_that_has_it(
    node: Node,
) -> None:
    here = await MemoryEdge(node, "here").attach()
    there = await MemoryEdge(node, "there").attach()
    await here.admitted(1, "alice", "wx")
    await there.admitted(9, "bob")
    ordinal = here.message(1, "m1", BOB, b'{"n": 12345678901234567890.0, "s": "\\u4f60"}')
    got = await there.delivered()
    assert (got.conns, got.msg_id, got.want) == ((9,), "m1", Want.DONE)
    assert (got.sender_user, got.sender_platform) == ("alice", "wx")
    assert (got.target_user, got.platform) == BOB
    assert got.payload == b'{"n": 12345678901234567890.0, "s": "\\u4f60"}'
    await here.nothing()
    there.send(EdgeFrame(taken_through=got.ordinal))
    assert await here.hear() == ordinal


async def test_a_large_message_passes_in_chunks(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    await edge.admitted(2, "bob")
    payload = b'{"x": "%b"}' % (b"a" * (5 * CHUNK_BYTES))
    edge.message(1, "m1", BOB, payload)
    assert (await edge.delivered()).payload == payload


async def test_a_thousand_messages_arrive_in_order(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    await edge.admitted(2, "bob")
    for number in range(1000):
        edge.message(1, str(number), BOB)
    assert [(await edge.delivered()).msg_id for _ in range(1000)] == [str(n) for n in range(1000)]


async def test_nobody_there_is_no_route(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    ordinal = edge.message(1, "m1", ("nobody", "qq"))
    heard = await edge.hear()
    assert isinstance(heard, Rejection)
    assert (heard.ordinal, heard.code) == (ordinal, ErrorCode.NO_ROUTE)


async def test_a_duplicate_is_acknowledged_and_not_relayed_again(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    await edge.admitted(2, "bob")
    first = edge.message(1, "m1", BOB)
    second = edge.message(1, "m1", BOB)
    got = await edge.delivered()
    await edge.nothing()
    edge.send(EdgeFrame(taken_through=got.ordinal))
    assert got.settles == first
    assert await edge.hear() == second
    third = edge.message(1, "m1", BOB)
    assert await edge.hear() == third


async def test_the_same_label_takes_over_and_the_old_connection_is_closed(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice", label="L")
    await edge.admitted(2, "mallory", label="L")
    edge.open(3, "alice", label="L")
    heard = [await edge.hear(), await edge.hear()]
    (order,) = [one for one in heard if isinstance(one, DisconnectOrder)]
    assert (order.conn, order.code) == (1, 4409)
    edge.close(1, 4409)
    await edge.nothing()
    assert sorted(entry.address.conn for entry in node.connections.select()) == [2, 3]


async def test_handlers_take_messages_and_answer_for_them() -> None:
    gate = asyncio.Event()
    payloads: list[Any] = []

    async def handler(payload: Any, metadata: dict[str, Any]) -> None:
        payloads.append((payload, metadata["user_id"]))
        await gate.wait()

    node = Node(Hooks(custom_handlers={"custom_x": handler}), OpenAuth())
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    ordinal = edge.message(1, "m1", payload=b'{"a": 1}', type="custom_x")
    await edge.nothing()
    assert payloads == [({"a": 1}, "alice")]
    gate.set()
    assert await edge.hear() == ordinal
    await node.stop()


async def test_one_bad_message_does_not_end_the_stream_of_its_edge() -> None:
    node = Node(Hooks(on_message=lambda message, metadata: None), OpenAuth())
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    edge.message(1, "m1", payload=b'{"message_info": ')
    heard = await edge.hear()
    assert isinstance(heard, Rejection)
    assert heard.code == ErrorCode.BAD_MESSAGE
    await edge.admitted(2, "bob")
    await node.stop()


async def test_a_sender_hears_when_the_edge_of_the_receiver_is_lost(node: Node) -> None:
    here = await MemoryEdge(node, "here").attach()
    there = await MemoryEdge(node, "there").attach()
    await here.admitted(1, "alice")
    await there.admitted(1, "bob")
    here.message(1, "m1", BOB)
    await there.delivered()
    there.send(None)
    heard = await here.hear()
    assert isinstance(heard, Rejection)
    assert heard.code == ErrorCode.NO_ROUTE


async def test_a_stream_that_breaks_while_it_is_written_ends_the_attachment(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    edge.stream.broken = True
    edge.open(1, "alice")
    await edge.serving
    assert node.links == []


async def test_an_operator_may_close_connections(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    assert node.disconnect(node.connections.select(user_id="alice"), 4000, "bye") == 1
    assert await edge.hear() == DisconnectOrder(1, 4000, "bye")


async def test_a_blocking_auth_holds_up_no_traffic() -> None:
    gate = asyncio.Event()

    async def on_auth(metadata: dict[str, Any]) -> bool:
        return metadata["api_key"] != "slow" or await gate.wait()

    hooks = Hooks(on_auth=on_auth)
    node = Node(hooks, CallbackAuth(hooks, 30.0))
    edge = await MemoryEdge(node).attach()
    edge.open(1, "slow")
    await edge.admitted(2, "alice")
    edge.message(2, "m", ("alice", "qq"))
    assert (await edge.delivered()).conns == (2,)
    gate.set()
    verdict = await edge.hear()
    assert isinstance(verdict, Verdict)
    assert isinstance(verdict.answer, Admission)
    await node.stop()


async def test_counters_and_links_tell_what_is_there(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    (link,) = node.links
    assert (link.key, link.address) == (EdgeKey("edge-1", 1), "127.0.0.1:18040")
    assert node.hub.sessions(link.key) == 1
    assert node.hub.counters.successful_auths == 1


async def test_a_replay_after_the_handler_ended_is_settled_at_once() -> None:
    runs: list[str] = []
    hooks = Hooks(custom_handlers={"custom_x": lambda payload, metadata: runs.append("ran")})
    node = Node(hooks, OpenAuth())
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    for _ in range(2):
        edge.replay(Inbound(7, 1, "m", "custom_x", "", "", b"{}"))
        assert await edge.hear() == 7
    assert runs == ["ran"]
    await node.stop()


async def test_opening_a_handle_twice_changes_nothing(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    edge.send(EdgeFrame(opens=[Open(1, "mallory", "qq")]))
    await edge.nothing()
    assert [entry.user_id for entry in node.connections.select()] == ["alice"]
