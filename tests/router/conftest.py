"""What tests of the router share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.router.control_peer import Served, serve


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A router that lets everybody in, served on a free port, with one edge."""
    async with serve() as served:
        yield served
