"""Connections that an edge tells of in a way that the protocol does not have."""

from __future__ import annotations

import math

import pytest

from maim_protocol.bridge.frames import Admission, EdgeFrame, Live, Open
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.bridge.open_request import checked_open
from tests.router.letters import make
from tests.router.memory_edge import MemoryEdge

WRONG = [
    (Open(1, "key", "qq", connected_at=math.nan), "connected_at: expected Unix seconds, got nan"),
    (Open(1, "key", "qq", connected_at=math.inf), "connected_at: expected Unix seconds, got inf"),
    (Open(1, "key", "qq", connected_at=-math.inf), "connected_at: expected Unix seconds, got -inf"),
    (Open(1, "key", ""), "platform: expected 1 to 128 characters, got 0"),
    (Open(1, "key", "x" * 129), "platform: expected 1 to 128 characters, got 129"),
    (Open(1, "key", "qq", "y" * 129), "label: expected at most 128 characters, got 129"),
]


@pytest.mark.parametrize(("asked", "text"), WRONG)
def test_what_the_protocol_does_not_have_is_refused_with_what_came(asked: Open, text: str) -> None:
    with pytest.raises(AttachRefused) as refused:
        checked_open(asked)
    assert refused.value.problem is AttachProblem.PROTOCOL
    assert str(refused.value) == f"malformed frame: {text}"


def test_the_longest_texts_pass() -> None:
    asked = Open(1, "key", "x" * 128, "y" * 128, connected_at=1.0)
    assert checked_open(asked) is asked


@pytest.mark.parametrize("asked", [asked for asked, _ in WRONG])
async def test_an_edge_that_says_so_is_no_longer_served(asked: Open) -> None:
    node = make()
    edge = await MemoryEdge(node).attach()
    edge.send(EdgeFrame(opens=[asked]))
    with pytest.raises(AttachRefused):
        await edge.serving
    assert (node.links, len(node.connections)) == ([], 0)
    await node.stop()


@pytest.mark.parametrize("asked", [asked for asked, _ in WRONG])
async def test_a_hello_that_says_so_is_refused(asked: Open) -> None:
    node = make()
    edge = MemoryEdge(node)
    edge.send(EdgeFrame(hello=edge.hello(1), live=[Live(asked, Admission("u-1", "anna"))]))
    with pytest.raises(AttachRefused):
        await edge.serving
    assert (node.links, len(node.connections)) == ([], 0)
    await node.stop()
