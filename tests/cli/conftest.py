"""A terminal, an empty folder, and a running router with its edge."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from maim_edge.bridge.transports.grpc import GrpcBridge
from maim_edge.service.server import EdgeServer
from maim_edge.settings import EdgeSettings
from maim_router.service.process import RouterProcess, build_node
from maim_router.settings import RouterSettings
from tests.cli.terminal import Terminal


@pytest.fixture
def maim(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    yield Terminal(capsys)
    root.handlers[:] = handlers
    root.setLevel(level)


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a running router and its edge answer."""

    router: str
    url: str
    admin_port: int


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    settings = RouterSettings(port=0, admin_port=-1, mailbox_messages=1)
    router = RouterProcess(build_node(None, settings), settings)
    await router.start()
    [address] = router.addresses
    wanted = EdgeSettings(port=0, admin_port=0, routers=address, drain_window=0)
    edge = EdgeServer(wanted, GrpcBridge(wanted.router_addresses))
    await edge.start()
    assert edge.gateway is not None
    async with asyncio.timeout(10):
        await edge.gateway.bridge.wait_attached()
    yield Pair(address, edge.url, edge.admin_port)
    await edge.stop()
    await router.stop()
