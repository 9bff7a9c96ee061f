"""What listens for edges is tried on each loop that a router may run on."""

from __future__ import annotations

from tests.protocol.http2.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
