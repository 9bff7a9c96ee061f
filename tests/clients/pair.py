"""The pair of processes of tests/system, on a port that an edge keeps when it is restarted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from maim_router.control_client.client import ControlClient
from tests.system.pair import Pair, free_port, running_pair

ROOT = Path(__file__).parent.parent.parent

__all__ = ["ROOT", "Pair", "control", "running"]


@asynccontextmanager
async def running(
    router: dict[str, Any] | None = None, edge: dict[str, Any] | None = None
) -> AsyncIterator[Pair]:
    """Run a router and an edge with these flags, named without their dashes."""
    defaults = {"port": free_port(), "drain-window": 1}
    async with running_pair(router, defaults | (edge or {})) as pair:
        yield pair


def control(pair: Pair) -> ControlClient:
    """Return a client of the router's control API."""
    return ControlClient(f"127.0.0.1:{pair.router_port}")
