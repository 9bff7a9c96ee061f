"""Fixtures of the guide's tests: a server, and a place for what blocks print."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from maim_message.server import WebSocketServer, create_server_config
from tests.guide.running import Printed


@pytest.fixture
def printed() -> Printed:
    return Printed()


@pytest.fixture
async def server() -> AsyncIterator[WebSocketServer]:
    config = create_server_config(
        port=0,
        on_auth_extract_user=lambda metadata: metadata["api_key"],
        on_message=lambda message, metadata: None,
    )
    async with WebSocketServer(config) as server:
        yield server
