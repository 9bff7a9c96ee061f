"""What tests of the router edge_tracker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maim_router.node import Node
from tests.router.control_peer import Served, serve
from tests.router.letters import make, running
from tests.router.memory_edge import MemoryEdge


@pytest.fixture(params=["grpc", "http2"])
def bridge(request: pytest.FixtureRequest) -> str:
    """What serves edges, on the port of everything else."""
    return str(request.param)


@pytest.fixture
async def served(bridge: str) -> AsyncIterator[Served]:
    """A router that lets everybody in, served on a free port, with one edge."""
    async with serve(bridge=bridge) as served:
        yield served


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """A router with a small mailbox that lets everybody in."""
    async with running(make()) as node:
        yield node


@pytest.fixture
async def edge(node: Node) -> MemoryEdge:
    """An edge with alice as connection 1."""
    edge = await MemoryEdge(node).attach()
    await edge.admitted(1, "alice")
    return edge
