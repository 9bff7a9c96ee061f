"""Edges drain and restart under traffic, one after the other; or end because a router says so."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_router.service.client import ControlClient
from tests.system.forwarder import Forwarder
from tests.system.pair import SECONDS, Pair, Service, flags, free_port, running_pair

CLIENTS = 20
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
async def two_edges(path: Path) -> AsyncIterator[Site]:
    (path / "handling_app.py").write_text(HANDLING)
    port = free_port()
    options = {"port": port, "admin-port": -1, "app": "handling_app:config"}
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


def message(message_id: str) -> APIMessageBase:
    return APIMessageBase(
        message_info=BaseMessageInfo("qq", message_id, time.time()),
        message_segment=Seg("text", "hello"),
        message_dim=MessageDim("server", "qq"),
    )


@dataclass
class Traffic:
    """One client that sends as fast as it is acknowledged."""

    client: WebSocketClient
    name: str
    stop: asyncio.Event
    acked: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            message_id = f"{self.name}-{count}"
            count += 1
            assert await self.client.send_message(
                message(message_id), wait_ack=True, timeout=SECONDS
            ), self.client.get_last_error()
            self.acked.append(message_id)
            self.news.set()

    async def goes_on(self) -> None:
        """Wait until something was acknowledged that was sent after now."""
        seen = len(self.acked)
        async with asyncio.timeout(SECONDS):
            while len(self.acked) < seen + 2:
                self.news.clear()
                await self.news.wait()


async def test_nothing_acknowledged_is_lost_while_two_edges_restart(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with (
        two_edges(tmp_path) as site,
        Forwarder(lambda: site.urls).running() as forwarder,
        AsyncExitStack() as stack,
    ):
        url = f"ws://127.0.0.1:{forwarder.port}/ws"
        traffic = []
        for index in range(CLIENTS):
            config = ClientConfig(url, f"user{index}", "qq", reconnect_delay=0.05)
            client = await stack.enter_async_context(WebSocketClient(config))
            assert await client.connect()
            traffic.append(Traffic(client, f"m{index}", stop))
        running = [asyncio.create_task(one.run()) for one in traffic]
        for edge in site.edges:
            await asyncio.gather(*(one.goes_on() for one in traffic))
            code, _ = await edge.end()
            assert code == 0, edge.log
            assert "did not end in time" not in edge.log
            await site.start_edge(edge)
        await asyncio.gather(*(one.goes_on() for one in traffic))
        stop.set()
        await asyncio.gather(*running)
        handled = site.handled()
        acked = [message_id for one in traffic for message_id in one.acked]
    assert set(acked) <= set(handled)
    assert set(handled.values()) == {1}


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
