"""An edge dies while clients talk; those who were there come back and miss nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.clients import released
from tests.clients.released import ReleasedClient
from tests.faults.chat_client import connected_clients
from tests.faults.client_load import gathered
from tests.faults.conftest import Tell
from tests.faults.guarantees import EXCUSED
from tests.faults.oracle import Letter, Oracle
from tests.faults.sdk_client import SdkClient
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site, running_site

CLIENTS = 200
KILLS = 3

pytestmark = pytest.mark.timeout(300)


async def lose_edge(site: Site, edge: int) -> None:
    """Kill an edge and bring it back on the same port."""
    await site.edges[edge].kill()
    await site.edges[edge].start()


async def test_clients_of_a_killed_edge_come_back_and_miss_nothing(
    tmp_path: Path, tell: Tell
) -> None:
    async with (
        running_site(tmp_path) as site,
        gathered(site, CLIENTS, times=1 + KILLS) as load,
    ):
        async with load.talking():
            for number in range(KILLS):
                await load.some_more()
                await lose_edge(site, number % len(site.edges))
            await load.some_more()
        await load.come_right()
        done = f"{KILLS} kills of an edge, {CLIENTS} clients"
        tell(f"{done}: {load.oracle.summary}; {len(load.ends)} came back")
        sdk = [client for client in load.clients if isinstance(client, SdkClient)]
        assert sum(len(client.ends) for client in sdk) > len(sdk) / 2  # they did lose something


@asynccontextmanager
async def friends(
    cache: pytest.Cache, names: list[str], urls: list[str]
) -> AsyncIterator[list[ReleasedClient]]:
    """Run released clients and wait until they are there."""
    interpreter = released.environment(cache)
    async with AsyncExitStack() as stack:
        clients = [ReleasedClient(interpreter, *pair) for pair in zip(urls, names, strict=True)]
        for client in clients:
            await stack.enter_async_context(client)
        for client in clients:
            await client.event("connected")
        yield clients


def take_in(oracle: Oracle, clients: dict[str, ReleasedClient]) -> None:
    """Tell the oracle anew what released clients have got so far."""
    for name, client in clients.items():
        for event in client.events("message"):
            oracle.arrived(name, Letter.read(event["text"]))


async def test_released_clients_of_a_killed_edge_come_back_and_miss_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, tell: Tell
) -> None:
    cache = request.config.cache
    assert cache is not None
    names = [f"old{n}" for n in range(4)]
    oracle = Oracle(dict.fromkeys(names, 2), EXCUSED)
    shared = SharedOracle(oracle)
    async with running_site(tmp_path) as site:
        clients = [SdkClient(shared, f"new{n}", site.url(0)) for n in range(4)]
        urls = [site.url(1)] * len(names)
        async with connected_clients(clients), friends(cache, names, urls) as released:
            for _ in range(50):
                say_to_all(clients, names)
            await lose_edge(site, 1)
            for _ in range(50):
                say_to_all(clients, names)
            for client in released:
                await client.event("connected", 2)
            say_to_all(clients, names)
            await shared.until(lambda: not oracle.unanswered)
            for name, client in zip(names, released, strict=True):
                await arrived(client, [f"{sender.name}>{name}#101" for sender in clients])
            take_in(oracle, dict(zip(names, released, strict=True)))
            tell(f"an edge killed under four clients of 0.6.8: {oracle.report()}")
            assert oracle.content
            assert oracle.broken == []


def say_to_all(clients: list[SdkClient], names: list[str]) -> None:
    for client in clients:
        for name in names:
            client.say(name)


async def arrived(client: ReleasedClient, texts: list[str]) -> None:
    """Wait until a client has got all of these."""
    await client.found(lambda: {e["text"] for e in client.events("message")}.issuperset(texts))
