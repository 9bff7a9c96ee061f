"""The edges of a facade: in this process, in child processes, or somewhere else."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Protocol

from pydantic import SecretStr

from maim_edge.bridge import LocalBridge
from maim_edge.service import EdgeServer, Workers
from maim_edge.settings import EdgeSettings
from maim_router.node import Node
from maim_router.service import RouterProcess
from maim_router.settings import RouterSettings

START_SECONDS = 30.0


class Edges(Protocol):
    """What a facade starts and stops together with its node."""

    url: str

    async def start(self) -> None:
        """Return when the port answers and a router serves it."""

    async def failed(self) -> None:
        """Wait for a failure that ends the edges, and raise it."""

    async def stop(self) -> None:
        """Drain and end."""


class InProcessEdge:
    """One edge over `LocalBridge`: the same frames, no gRPC."""

    def __init__(self, node: Node, settings: EdgeSettings) -> None:
        self._server = EdgeServer(settings, LocalBridge(node.serve_edge))
        self._running: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Return when the port answers and the node serves it."""
        self._running = await self._server.start()
        self.url = self._server.url
        await _first(self._server.attached(), self._running)

    async def failed(self) -> None:
        """Wait for the bridge to give up."""
        if self._running is not None:
            await asyncio.shield(self._running)

    async def stop(self) -> None:
        """Drain and end."""
        await self._server.stop()


class EdgeProcesses:
    """`workers` edge processes over a unix socket, or loopback gRPC where there is none."""

    def __init__(
        self, node: Node, router: RouterSettings, edge: EdgeSettings, workers: int
    ) -> None:
        self._node = node
        self._folder = Path(tempfile.mkdtemp(prefix="maim-")) if _has_unix_sockets() else None
        self._address = f"unix:{self._folder}/bridge" if self._folder else "127.0.0.1:0"
        self._router = RouterProcess(node, router, extra_addresses=[self._address])
        self._edge = edge
        self._count = workers
        self._workers: Workers | None = None
        self._watching: asyncio.Task[None] | None = None
        self.url = ""

    @property
    def control_address(self) -> str:
        """Where the control API answers."""
        return self._router.addresses[0]

    async def start(self) -> None:
        """Start router and workers; returns when every worker is attached."""
        await self._router.start()
        update: dict[str, Any] = {
            "routers": self._router.addresses[-1],
            "workers": self._count,
        }
        if self._router.worker_token is not None:
            update["bridge_token"] = SecretStr(self._router.worker_token)
        self._workers = Workers(self._edge.model_copy(update=update))
        await self._workers.start()
        self.url = self._workers.url
        self._watching = asyncio.create_task(self._workers.run())
        async with asyncio.timeout(START_SECONDS):
            await _first(self._all_attached(), self._watching)

    async def failed(self) -> None:
        """Wait for a worker that cannot be kept alive."""
        if self._watching is not None:
            await asyncio.shield(self._watching)

    async def stop(self) -> None:
        """End the workers, then the router."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        if self._workers is not None:
            await self._workers.stop()
        await self._router.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _all_attached(self) -> None:
        while len(self._node.links) < self._count:
            await self._node.attached.wait()
            self._node.attached.clear()


class ExternalEdges:
    """No edge here: they run on their own and attach to `bridge_address`."""

    def __init__(self, node: Node, router: RouterSettings) -> None:
        self._router = RouterProcess(node, router)
        self.url = ""

    async def start(self) -> None:
        """Return when the bridge answers."""
        await self._router.start()
        self.url = self._router.addresses[0]

    async def failed(self) -> None:
        """Edges elsewhere cannot fail here."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Close the bridge."""
        await self._router.stop()


async def _first(fact: Coroutine[Any, Any, None], failure: asyncio.Task[None]) -> None:
    """Wait for a fact, unless `failure` ends first: then raise what it raised."""
    waiting = asyncio.ensure_future(fact)
    try:
        await asyncio.wait([waiting, failure], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if failure.done():
        failure.result()


def _has_unix_sockets() -> bool:
    return sys.platform != "win32"
