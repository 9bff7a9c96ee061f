"""A router and an edge as processes of their own, and clients that talk through them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

SECONDS = 30.0
ROOTS = ("proto", "edge", "router", "client_sdk")
REPOSITORY = Path(__file__).parents[2]


class Service:
    """One process of ours and what it logged."""

    def __init__(
        self,
        module: str,
        arguments: list[str],
        environment: dict[str, str],
        path: Path | None = None,
    ) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        folders = [*(str(REPOSITORY / root) for root in ROOTS), *filter(None, [path])]
        own = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "MAIM_LOG_FORMAT": "json"}
        self._environment = os.environ | own | environment
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process, which has been started."""
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        """Everything that it wrote to stdout and stderr, of every run."""
        return "\n".join(self.lines)

    async def start(self, ready: str) -> str:
        """Start, and wait for a line that matches; returns the first group of `ready`."""
        pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=pipe, stderr=both, env=self._environment
        )
        self._reading = asyncio.create_task(self._read())
        return await self.logged(ready, since=len(self.lines))

    async def logged(self, pattern: str, *, since: int = 0) -> str:
        """Wait for a line of the log."""
        async with asyncio.timeout(SECONDS):
            while True:
                found = re.search(pattern, "\n".join(self.lines[since:]))
                if found is not None:
                    return found.group(1) if found.groups() else found.group()
                assert self._reading is not None
                assert not self._reading.done(), self.log
                self._news.clear()
                await self._news.wait()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; returns exit code and seconds until the end."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.process.send_signal(number)
        return await self.ended(), loop.time() - began

    async def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        code = await asyncio.wait_for(self.process.wait(), SECONDS)
        assert self._reading is not None
        await self._reading
        return code

    async def kill(self) -> None:
        """End it for good, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            await self.end(signal.SIGKILL)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip())
            self._news.set()
        self._news.set()


@dataclass
class Pair:
    """A router and an edge; `options` of each are flags without their dashes."""

    router_options: dict[str, Any] = field(default_factory=dict)
    edge_options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    # A folder with modules of the application.
    path: Path | None = None
    # The keys of users, where the router asks for some.
    keys: dict[str, str] = field(default_factory=dict)
    url: str = ""

    def __post_init__(self) -> None:
        self.router_port = free_port()
        router = {"port": self.router_port, "admin-port": -1} | self.router_options
        at = f"127.0.0.1:{self.router_port}"
        edge = {"port": 0, "admin-port": -1, "routers": at} | self.edge_options
        self.router = Service("maim_router", flags(router), self.environment, self.path)
        self.edge = Service("maim_edge", flags(edge), self.environment)

    async def start_router(self) -> None:
        """Start the router and wait until it serves."""
        await self.router.start("router ready")

    async def start_edge(self) -> None:
        """Start the edge and wait until it is attached."""
        since = len(self.edge.lines)
        self.url = await self.edge.start(r"(wss?://[^\s,\"]+)")
        await self.edge.logged("attached to", since=since)

    def client(self, user: str, platform: str = "qq", **options: Any) -> connect:
        """A client that is to be connected: `async with pair.client("alice") as conn`."""
        query = urlencode({"api_key": self.keys.get(user, user), "platform": platform})
        return connect(f"{self.url}?{query}", **({"max_size": None} | options))


@asynccontextmanager
async def running_pair(
    router: dict[str, Any] | None = None,
    edge: dict[str, Any] | None = None,
    environment: dict[str, str] | None = None,
    path: Path | None = None,
) -> AsyncIterator[Pair]:
    """Run a router and an edge that is attached to it."""
    pair = Pair(router or {}, edge or {}, environment or {}, path)
    try:
        await pair.start_router()
        await pair.start_edge()
        yield pair
    finally:
        await pair.edge.kill()
        await pair.router.kill()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def flags(options: dict[str, Any]) -> list[str]:
    """Write options as flags; `=` keeps a value that begins with a dash together."""
    return [f"--{name}={value}" for name, value in options.items()]


def message(msg_id: str, key: str, data: str = '"hi"', platform: str = "qq") -> str:
    """An envelope with a standard message; `data` is JSON and stays as it is."""
    return (
        f'{{"ver":1,"msg_id":{json.dumps(msg_id)},"type":"sys_std",'
        f'"meta":{{"sender_user":"forged","timestamp":0}},"payload":{{"message_info":'
        f'{{"platform":"{platform}","message_id":{json.dumps(msg_id)},"time":1.0}},'
        f'"message_segment":{{"type":"text","data":{data}}},'
        f'"message_dim":{{"api_key":{json.dumps(key)},"platform":"{platform}"}}}}}}'
    )


async def receive(conn: ClientConnection, *types: str) -> dict[str, Any]:
    """Wait for a frame, of one of these types if any are named."""
    async with asyncio.timeout(SECONDS):
        while True:
            frame: dict[str, Any] = json.loads(await conn.recv())
            if not types or frame["type"] in types:
                return frame
