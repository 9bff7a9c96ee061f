"""What the application sends, and what it hears of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from maim_protocol.bridge.frames import BridgeOutcome, Want
from maim_router.auth.authentication import OpenAuth
from maim_router.bridge.outcomes import Outcome
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.memory_edge import MemoryEdge


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0))
    async with asyncio.timeout(30):
        yield node
        await node.stop()


async def test_sending_reports_what_the_edge_said(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    one = await edge.admitted(1, "bob")
    two = await edge.admitted(2, "bob")
    sending = asyncio.ensure_future(node.messenger.send(b"{}", user_id="bob", platform="qq"))
    got = await edge.delivered()
    assert (got.conns, got.want, got.sender_user) == ((1, 2), Want.WRITTEN, "server")
    edge.report(got, BridgeOutcome.WRITTEN, 1)
    edge.report(got, BridgeOutcome.SLOW, 2)
    report = await sending
    assert report.outcomes == {
        one.connection_uuid: Outcome.WRITTEN,
        two.connection_uuid: Outcome.SLOW,
    }


async def test_sending_to_nobody_reports_no_connection(node: Node) -> None:
    report = await node.messenger.send(b"{}", api_key="bob", platform="qq")
    assert (report.outcome, report.outcomes) == (Outcome.NO_CONNECTION, {})


async def test_a_lost_edge_ends_what_waits_for_it_as_unreachable(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    admission = await edge.admitted(1, "bob")
    sending = asyncio.ensure_future(node.messenger.broadcast(b"{}"))
    await edge.delivered()
    edge.send(None)
    report = await sending
    assert report.outcomes == {admission.connection_uuid: Outcome.EDGE_UNREACHABLE}
    await edge.serving
    assert (len(node.connections), node.links) == (0, [])


async def test_custom_messages_go_to_whatever_matches_all_targets(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    alice = await edge.admitted(1, "alice")
    await edge.admitted(2, "bob")
    uuid = alice.connection_uuid
    targets: list[tuple[dict[str, str], tuple[int, ...]]] = [
        ({}, (1, 2)),
        ({"user_id": "bob"}, (2,)),
        ({"connection_uuid": uuid}, (1,)),
        ({"connection_uuid": uuid, "user_id": "alice", "platform": "qq"}, (1,)),
    ]
    for target, conns in targets:
        sending = asyncio.ensure_future(node.messenger.send_custom("x", b"{}", **target))
        got = await edge.delivered()
        assert (got.type, got.conns) == ("custom_x", conns)
        edge.report(got, BridgeOutcome.WRITTEN, *conns)
        assert (await sending).outcome is Outcome.WRITTEN
    for missed in ({"user_id": "bob"}, {"platform": "wx"}):
        report = await node.messenger.send_custom("x", b"{}", connection_uuid=uuid, **missed)
        assert report.outcomes == {}


async def test_a_connection_that_says_nothing_in_time_is_slow(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    admission = await edge.admitted(1, "bob")
    report = await node.messenger.broadcast(b"{}", platform="qq", timeout=0)
    assert report.outcomes == {admission.connection_uuid: Outcome.SLOW}


async def test_waiting_for_an_ack_is_told_to_the_edge(node: Node) -> None:
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "bob")
    sending = asyncio.ensure_future(
        node.messenger.send(b"{}", user_id="bob", platform="qq", wait_for="acked")
    )
    got = await edge.delivered()
    assert got.want == Want.ACKED
    edge.report(got, BridgeOutcome.WRITTEN, 1)
    edge.report(got, BridgeOutcome.ACKED, 1)
    assert (await sending).outcome is Outcome.ACKED


@pytest.mark.parametrize("type", ["", "custom_", "x" * 122, "half a pair \ud800"])
async def test_a_type_that_no_frame_could_have_is_refused(node: Node, type: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - one of two kinds, each says what came
        await node.messenger.send_custom(type, b"{}")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"wait_for": "read"}, "wait_for: expected 'written' or 'acked', got 'read'"),
        ({"timeout": -1}, "timeout: expected 0 or more seconds, got -1"),
        ({"ttl": -0.5}, "ttl: expected 0 or more seconds, got -0.5"),
        ({"ttl": float("nan")}, "ttl: expected 0 or more seconds, got nan"),
    ],
)
async def test_terms_that_cannot_be_are_refused(
    node: Node, terms: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        await node.messenger.send(b"{}", user_id="bob", platform="qq", **terms)
