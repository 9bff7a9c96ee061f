"""What tests of the router share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.router.control_peer import Served, serve


@pytest.fixture(params=["grpc", "http2"])
def bridge(request: pytest.FixtureRequest) -> str:
    """What serves edges, on the port of everything else."""
    return str(request.param)


@pytest.fixture
async def served(bridge: str) -> AsyncIterator[Served]:
    """A router that lets everybody in, served on a free port, with one edge."""
    async with serve(bridge=bridge) as served:
        yield served
