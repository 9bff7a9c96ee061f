"""`LocalBridge` keeps the contract of a bridge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from maim_edge.bridge import Bridge, LocalBridge
from maim_protocol.bridge.frames import EdgeStream
from maim_protocol.errors import RouterUnavailable
from tests.edge.bridge.bridge_contract import BridgeContract, Connected, Serve


@asynccontextmanager
async def in_process(serve: Serve) -> AsyncIterator[Bridge]:
    bridge = LocalBridge(serve)
    yield bridge
    await bridge.close()
    await bridge.close()


@pytest.fixture
def connected() -> Connected:
    """Make bridges to a function."""
    return in_process


class TestLocalBridge(BridgeContract):
    async def test_a_router_that_has_stopped_is_unavailable(self) -> None:
        async def serve(stream: EdgeStream) -> None:
            await stream.read()

        bridge = LocalBridge(serve)
        await bridge.close()
        with pytest.raises(RouterUnavailable, match="stopped"):
            await bridge.connect()
