"""Many clients who talk to each other all the time, while a test breaks what they talk through."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.chat_client import ChatClient, chat_client, connected_clients
from tests.faults.guarantees import EXCUSED
from tests.faults.oracle import Oracle
from tests.faults.schedule import chance
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site

TICK_SECONDS = 0.02
KINDS = ("sdk", "plain", "sdk", "silent")


class ClientLoad:
    """`count` clients, spread over the edges; `times` is how often a plain one may get a letter.

    With `client_proxies` each stays at one edge, through its proxy; without they go on to the next.
    """

    def __init__(
        self, site: Site, count: int, times: int = 1, *, client_proxies: bool = True
    ) -> None:
        names = [f"p{n}-{KINDS[n // 2 % len(KINDS)]}" for n in range(count)]
        plain = {name: times for name in names if not name.endswith("sdk")}
        self.site = site
        self.oracle = Oracle(plain, EXCUSED)
        self.shared = SharedOracle(self.oracle)
        edges = range(len(site.edges))
        urls = [site.url(edge, proxy=client_proxies) for edge in edges]
        ways = [urls[n:] + urls[:n] for n in edges]
        self.clients: list[ChatClient] = [
            chat_client(self.shared, name, *ways[n % len(ways)][: 1 if client_proxies else None])
            for n, name in enumerate(names)
        ]

    @asynccontextmanager
    async def talking(self, a_tick: int = 8) -> AsyncIterator[None]:
        """Let so many letters be written each tick."""
        task = asyncio.create_task(self._talk(a_tick))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def some_more(self, count: int = 200) -> None:
        """Wait until so many more letters were acknowledged."""
        goal = self.oracle.acknowledged + count
        await self.shared.until(lambda: self.oracle.acknowledged >= goal)

    async def come_right(self) -> None:
        """Wait until everybody is there and nothing is waited for, and judge."""
        await self._content()
        for number, speaker in enumerate(self.clients):
            speaker.say(self.clients[number - 1].name)  # what is replayed late comes before these
        await self._content()
        assert not self.oracle.broken, f"{self.oracle.report()}\n{self.site.tails}"

    @property
    def ends(self) -> list[str]:
        """The ends of links, and whose."""
        return [f"{each.name}: {end}" for each in self.clients for end in each.ends]

    async def _content(self) -> None:
        try:
            async with asyncio.timeout(60):
                await self.shared.until(
                    lambda: self.oracle.content and all(each.connected for each in self.clients)
                )
        except TimeoutError:
            away = [each.name for each in self.clients if not each.connected]
            text = f"{self.oracle.report()}\naway: {away}\n{self.site.tails}"
            raise AssertionError(text) from None

    async def _talk(self, a_tick: int) -> None:
        source = chance("load")
        while True:
            for speaker in source.sample(self.clients, a_tick):
                speaker.say(source.choice(self.clients).name)
            self.shared.tell()
            await asyncio.sleep(TICK_SECONDS)  # the pace of the traffic, nobody's readiness


@asynccontextmanager
async def gathered(
    site: Site, count: int, times: int = 1, *, client_proxies: bool = True
) -> AsyncIterator[ClientLoad]:
    """Let a load come, and go at the end."""
    load = ClientLoad(site, count, times, client_proxies=client_proxies)
    async with connected_clients(load.clients):
        yield load
