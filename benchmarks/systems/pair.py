"""This project as it is deployed: a router and one or more edges as processes of their own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from benchmarks.process import Program, free_port, says_ready
from maim_message.cli import certs
from maim_router.control_client import ControlClient

# Beyond the product's defaults, which are for one small machine.
ROOM = {"MAIM_EDGE_MAX_CONNECTIONS": "100000"}
QUIET = {"MAIM_LOG_LEVEL": "WARNING"}


KEY = "key-of-{n}"


class Pair:
    """`settings` are `MAIM_*` variables of both services, e.g. which bridge they use."""

    def __init__(
        self,
        app: str = "relay",
        *,
        edges: int = 1,
        settings: Mapping[str, str] | None = None,
        tls: bool = False,
    ) -> None:
        self.load: dict[str, Any] = {"key": KEY}
        self.programs: dict[str, Program] = {}
        self.urls: list[str] = []
        self._app = app
        self._edges = edges
        self._settings = {**ROOM, **QUIET, **(settings or {})}
        self._tls = tls
        self._stack = AsyncExitStack()
        self._control: ControlClient | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where clients of the first edge connect."""
        return self.urls[0]

    async def broadcast(self, text: str) -> None:
        """Send to all through the control API."""
        assert self._control is not None  # noqa: S101 - made at the start
        await self._control.broadcast(text)

    async def handled(self) -> int | None:
        """An ack says so."""
        return None

    async def _start(self) -> None:
        if self._tls:
            self._make_certificates()
        port, admin = free_port(), free_port()
        own = {"MAIM_ROUTER_PORT": str(port), "MAIM_ROUTER_ADMIN_PORT": str(admin)}
        app = f"benchmarks.apps:{self._app}"
        await self._run("router", own | {"MAIM_ROUTER_APP": app}, admin)
        for number in range(self._edges):
            name = "edge" if self._edges == 1 else f"edge{number + 1}"
            await self._run_edge(name, port)
        control = ControlClient(f"127.0.0.1:{port}")
        self._control = await self._stack.enter_async_context(control)

    def _make_certificates(self) -> None:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        certs.write(folder, certs.NAMES)
        self._settings["MAIM_EDGE_TLS_CERT"] = str(folder / "server.crt")
        self._settings["MAIM_EDGE_TLS_KEY"] = str(folder / "server.key")
        self.load["ca"] = str(folder / "ca.crt")

    async def _run_edge(self, name: str, router_port: int) -> None:
        port, admin = free_port(), free_port()
        own = {"MAIM_EDGE_PORT": str(port), "MAIM_EDGE_ADMIN_PORT": str(admin)}
        own["MAIM_EDGE_ROUTERS"] = f"127.0.0.1:{router_port}"
        await self._run(name, own, admin)
        scheme, host = ("wss", "localhost") if self._tls else ("ws", "127.0.0.1")
        self.urls.append(f"{scheme}://{host}:{port}/ws")

    async def _run(self, name: str, own: dict[str, str], admin: int) -> None:
        module = "maim_router" if name == "router" else "maim_edge"
        argv = (sys.executable, "-m", module)
        environment = {**self._settings, **own}
        program = Program(name, *argv, environment=environment)
        self.programs[name] = await self._stack.enter_async_context(program)
        await says_ready(admin, program)
