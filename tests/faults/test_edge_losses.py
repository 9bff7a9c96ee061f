"""An edge dies while people talk; those who were there come back and miss nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.clients import released
from tests.clients.released import ReleasedClient
from tests.faults.conftest import Tell
from tests.faults.crowd import gathered
from tests.faults.oracle import Letter, Oracle
from tests.faults.people import present
from tests.faults.promised import EXCUSED
from tests.faults.sdk_person import SdkPerson
from tests.faults.site import Site, running_site
from tests.faults.town import Town

PEOPLE = 200
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
        gathered(site, PEOPLE, times=1 + KILLS) as crowd,
    ):
        async with crowd.talking():
            for number in range(KILLS):
                await crowd.some_more()
                await lose_edge(site, number % len(site.edges))
            await crowd.some_more()
        await crowd.come_right()
        done = f"{KILLS} kills of an edge, {PEOPLE} clients"
        tell(f"{done}: {crowd.oracle.summary}; {len(crowd.ends)} came back")
        sdk = [person for person in crowd.people if isinstance(person, SdkPerson)]
        assert sum(len(person.ends) for person in sdk) > len(sdk) / 2  # they did lose something


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
    town = Town(oracle)
    async with running_site(tmp_path) as site:
        people = [SdkPerson(town, f"new{n}", site.url(0)) for n in range(4)]
        urls = [site.url(1)] * len(names)
        async with present(people), friends(cache, names, urls) as clients:
            for _ in range(50):
                say_to_all(people, names)
            await lose_edge(site, 1)
            for _ in range(50):
                say_to_all(people, names)
            for client in clients:
                await client.event("connected", 2)
            say_to_all(people, names)
            await town.until(lambda: not oracle.unanswered)
            for name, client in zip(names, clients, strict=True):
                await arrived(client, [f"{person.name}>{name}#101" for person in people])
            take_in(oracle, dict(zip(names, clients, strict=True)))
            tell(f"an edge killed under four clients of 0.6.8: {oracle.report()}")
            assert oracle.content
            assert oracle.broken == []


def say_to_all(people: list[SdkPerson], names: list[str]) -> None:
    for person in people:
        for name in names:
            person.say(name)


async def arrived(client: ReleasedClient, texts: list[str]) -> None:
    """Wait until a client has got all of these."""
    await client.found(lambda: {e["text"] for e in client.events("message")}.issuperset(texts))
