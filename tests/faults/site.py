"""A router and edges as processes, with a proxy on every link and an application to steer."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.faults.proxy import Proxy, through
from tests.system.pair import Service, flags, free_port

APPS = Path(__file__).with_name("apps")
TAIL = 25
ROUTER_READY = "router ready"
EDGE_READY = r"(wss?://[^\s,\"]+)"


class Process:
    """A service that is killed, stopped and brought back; `back` waits until it serves."""

    def __init__(self, service: Service, ready: str) -> None:
        self.service = service
        self._ready = ready
        self._starting: asyncio.Task[str] | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.rise()
        await self.back()

    def rise(self) -> None:
        """Start it, and do not wait."""
        self._starting = asyncio.create_task(self.service.start(self._ready))

    async def back(self) -> None:
        """Wait until what was started is ready."""
        if self._starting is not None:
            await self._starting
            self._starting = None

    async def kill(self) -> None:
        """Kill it with -9."""
        await self.back()
        await self.service.kill()

    async def terminate(self) -> int:
        """End it with SIGTERM; returns the exit code."""
        await self.back()
        code, _ = await self.service.end(signal.SIGTERM)
        return code

    async def stop(self) -> None:
        """Stop it as SIGSTOP does."""
        await self.back()
        self.service.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on after `stop`."""
        self.service.process.send_signal(signal.SIGCONT)

    def resident_bytes(self) -> int:
        """How much memory it has had at most, as Linux tells."""
        status = Path(f"/proc/{self.service.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    async def end(self) -> None:
        """End it for good, in whatever state it is."""
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        await self.service.kill()

    @property
    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.service.lines[-TAIL:])


class Site:
    """The processes and their links; edges are counted from 0."""

    def __init__(self, router: dict[str, Any], edge: dict[str, Any], mood: Path) -> None:
        self.router_port = free_port()
        self._mood = mood
        self._edge_options = edge
        options = {"port": self.router_port, "admin-port": -1, "app": "steered:config"} | router
        environment = {"FAULTS_MOOD": str(mood)}
        self.router = Process(
            Service("maim_router", flags(options), environment, APPS), ROUTER_READY
        )
        self.edges: list[Process] = []
        self.bridges: list[Proxy] = []
        self.client_proxies: list[Proxy] = []
        self._ports: list[int] = []

    def url(self, edge: int, *, proxy: bool = True) -> str:
        """Where clients find an edge, through its proxy or past it."""
        port = self.client_proxies[edge].port if proxy else self._ports[edge]
        return f"ws://127.0.0.1:{port}/ws"

    def feel(self, mood: str) -> None:
        """Let authentication be "well", "slow", or let it "hang" or "raise"."""
        self._mood.write_text(mood)

    async def add_edge(self, stack: AsyncExitStack) -> None:
        """Start one more edge behind two proxies."""
        port = free_port()
        bridge = await stack.enter_async_context(through(self.router_port))
        proxy = await stack.enter_async_context(through(port))
        options = {"port": port, "admin-port": -1, "routers": f"127.0.0.1:{bridge.port}"}
        service = Service("maim_edge", flags(options | self._edge_options), {})
        edge = Process(service, EDGE_READY)
        stack.push_async_callback(edge.end)
        self.edges.append(edge)
        self.bridges.append(bridge)
        self.client_proxies.append(proxy)
        self._ports.append(port)
        await edge.start()
        await service.logged("attached to")

    def heal_links(self) -> None:
        """Make every link a good one."""
        for link in (*self.bridges, *self.client_proxies):
            link.heal()

    @property
    def tails(self) -> str:
        """The last lines of every log."""
        named = {"router": self.router} | {f"edge {n}": e for n, e in enumerate(self.edges)}
        return "\n".join(f"--- {name}\n{process.tail}" for name, process in named.items())


@asynccontextmanager
async def running_site(
    folder: Path,
    edges: int = 2,
    router: dict[str, Any] | None = None,
    edge: dict[str, Any] | None = None,
) -> AsyncIterator[Site]:
    """Run a router and edges with these flags, named without their dashes."""
    site = Site(router or {}, edge or {}, folder / f"mood-{free_port()}")
    site.feel("well")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(site.router.end)
        await site.router.start()
        for _ in range(edges):
            await site.add_edge(stack)
        yield site
