"""Edges drain and restart under traffic, one after the other; or end because a router says so."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_router.control_client.client import ControlClient
from tests.system.forwarder import Forwarder
from tests.system.pair import SECONDS, Pair, Service, flags, free_port, running_pair

CLIENTS = 20
# Messages that a mailbox surely takes.
MOST_AHEAD = 200
HANDLING = """
import types
def on_message(message, metadata):
    print("handled", message.message_info.message_id, flush=True)
config = types.SimpleNamespace(
    on_auth=lambda metadata: True,
    on_auth_extract_user=lambda metadata: metadata["api_key"],
    on_message=on_message,
)
"""


@dataclass
class Site:
    """A router and two edges, each on a port of its own."""

    router: Service
    edges: list[Service]
    urls: list[str] = field(default_factory=list)

    async def start_edge(self, edge: Service) -> str:
        since = len(edge.lines)
        url = await edge.start(r"(ws://[^\s,\"]+)")
        await edge.logged("attached to", since=since)
        return url

    def handled(self) -> Counter[str]:
        return Counter(re.findall(r"^handled (\S+)$", self.router.log, re.MULTILINE))


@asynccontextmanager
async def two_edges(path: Path, app: dict[str, str]) -> AsyncIterator[Site]:
    port = free_port()
    options = {"port": port, "admin-port": -1} | app
    router = Service("maim_router", flags(options), {}, path)
    edges = [
        Service(
            "maim_edge",
            flags(
                {
                    "port": free_port(),
                    "admin-port": -1,
                    "routers": f"127.0.0.1:{port}",
                    "drain-window": 1,
                }
            ),
            {},
        )
        for _ in range(2)
    ]
    site = Site(router, edges)
    try:
        await router.start("router ready")
        site.urls = [await site.start_edge(edge) for edge in edges]
        yield site
    finally:
        for service in (*edges, router):
            await service.kill()


def message(message_id: str, receiver: str) -> APIMessageBase:
    return APIMessageBase(
        message_info=BaseMessageInfo("qq", message_id, time.time()),
        message_segment=Seg("text", "hello"),
        message_dim=MessageDim(receiver, "qq"),
    )


@dataclass
class Traffic:
    """One client that sends to another as fast as it is acknowledged, and what it got."""

    name: str
    receiver: str
    client: WebSocketClient = field(init=False)
    acked: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)
    stopped: bool = False
    # The receiver, where it shall not be too far behind.
    waits_for: Traffic | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def on_message(self, came: APIMessageBase, metadata: dict[str, Any]) -> None:
        self.got.append(came.message_info.message_id)
        self.news.set()

    async def run(self) -> None:
        while not self.stopped:
            message_id = f"{self.name}-{len(self.acked)}"
            sent = message(message_id, self.receiver)
            taken = await self.client.send_message(sent, wait_ack=True, timeout=SECONDS)
            assert taken, self.client.get_last_error()
            self.acked.append(message_id)
            self.news.set()
            if self.waits_for is not None:
                await self.waits_for.has_got(len(self.acked) - MOST_AHEAD)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is true; looked at when something was acknowledged or came."""
        async with asyncio.timeout(SECONDS):
            while not fact():
                self.news.clear()
                await self.news.wait()

    async def has_got(self, count: int) -> None:
        """Wait until so many messages have come."""
        await self.until(lambda: len(self.got) >= count)

    async def goes_on(self) -> None:
        """Wait until something was acknowledged that was sent after now."""
        seen = len(self.acked)
        await self.until(lambda: len(self.acked) >= seen + 2)


@asynccontextmanager
async def clients(site: Site) -> AsyncIterator[list[Traffic]]:
    """Clients that reach both edges over one port, each sending to the next."""
    async with Forwarder(lambda: site.urls).running() as forwarder, AsyncExitStack() as stack:
        url = f"ws://127.0.0.1:{forwarder.port}/ws"
        names = [f"user{index}" for index in range(CLIENTS)]
        traffic = [Traffic(*pair) for pair in zip(names, [*names[1:], names[0]], strict=True)]
        for one in traffic:
            config = ClientConfig(
                url, one.name, "qq", on_message=one.on_message, reconnect_delay=0.05
            )
            one.client = await stack.enter_async_context(WebSocketClient(config))
            assert await one.client.connect()
        yield traffic


async def restart_both(site: Site, traffic: list[Traffic]) -> None:
    """Restart the edges, one after the other, while everybody sends; then let them finish."""
    running = [asyncio.create_task(one.run()) for one in traffic]
    for edge in site.edges:
        await asyncio.gather(*(one.goes_on() for one in traffic))
        code, _ = await edge.end()
        assert code == 0, edge.log
        assert "did not end in time" not in edge.log
        await site.start_edge(edge)
    await asyncio.gather(*(one.goes_on() for one in traffic))
    for one in traffic:
        one.stopped = True
    await asyncio.gather(*running)


async def test_what_is_acknowledged_was_handled_once_while_edges_restart(tmp_path: Path) -> None:
    (tmp_path / "handling_app.py").write_text(HANDLING)
    app = {"app": "handling_app:config"}
    async with two_edges(tmp_path, app) as site, clients(site) as traffic:
        await restart_both(site, traffic)
        handled = site.handled()
    assert {message_id for one in traffic for message_id in one.acked} <= set(handled)
    assert set(handled.values()) == {1}


async def test_what_is_acknowledged_arrives_once_and_in_order_while_edges_restart(
    tmp_path: Path,
) -> None:
    async with two_edges(tmp_path, {}) as site, clients(site) as traffic:
        receivers = {one.name: one for one in traffic}
        for one in traffic:
            one.waits_for = receivers[one.receiver]
        await restart_both(site, traffic)
        for one in traffic:
            there = receivers[one.receiver]
            await there.until(lambda one=one, there=there: set(one.acked) <= set(there.got))
            assert there.got == one.acked


async def edge_ids(control: ControlClient) -> list[str]:
    return [edge["edge_id"] for edge in await control.list_edges()]


async def test_an_edge_process_that_is_told_to_drain_ends_with_0(bridge: dict[str, str]) -> None:
    async with (
        running_pair(bridge, bridge) as pair,
        ControlClient(f"127.0.0.1:{pair.router_port}") as control,
        pair.client("alice") as alice,
    ):
        [edge_id] = await edge_ids(control)
        assert (await control.drain_edge(edge_id, 0.2))["connections"] == 1
        await alice.wait_closed()
        assert alice.close_code == 1001
        assert await pair.edge.ended() == 0
        await pair.router.logged("detached")
        assert await edge_ids(control) == []


async def test_workers_that_are_told_to_drain_stay_away_and_the_last_ends_it() -> None:
    pair = Pair(edge_options={"workers": 2})
    try:
        await pair.start_router()
        await pair.edge.start(r"processes: clients on (ws://[^\s\"]+)")
        await pair.router.logged(r"(?s)edge \S+ attached.*edge \S+ attached")
        async with ControlClient(f"127.0.0.1:{pair.router_port}") as control:
            first, second = await edge_ids(control)
            await control.drain_edge(first, 0.1)
            await pair.edge.logged("has drained")
            assert await edge_ids(control) == [second]
            await control.drain_edge(second, 0.1)
        assert await pair.edge.ended() == 0
        assert "starting it again" not in pair.edge.log
    finally:
        await pair.edge.kill()
        await pair.router.kill()
