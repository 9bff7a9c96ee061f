"""Plays one schedule: clients talk tick by tick while things break, then all must come right."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from tests.faults.chat_client import ChatClient, chat_client, connected_clients
from tests.faults.fault_injector import FaultInjector
from tests.faults.guarantees import BEHIND_THE_EDGE, EXCUSED
from tests.faults.oracle import Oracle
from tests.faults.schedule import EDGES, TICKS, Schedule, Step, chance
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site

TICK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0
KINDS = ("sdk", "plain", "silent", "sdk", "plain", "sdk")


class Scenario:
    """One schedule at a site that others have played at before and will again."""

    def __init__(self, site: Site, schedule: Schedule) -> None:
        self._site = site
        self._schedule = schedule
        self._harm = FaultInjector(site)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tick = -1
        names = [f"s{schedule.seed}-{n}-{kind}" for n, kind in enumerate(KINDS)]
        self.oracle = Oracle(self._times(names), EXCUSED)
        self.shared = SharedOracle(self.oracle)
        self.clients: list[ChatClient] = [
            chat_client(self.shared, name, site.url(n % EDGES)) for n, name in enumerate(names)
        ]

    async def run(self) -> None:
        """Scenario it; raises `AssertionError` with all that is known when a promise is broken."""
        async with connected_clients(self.clients):
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._traffic()
                    await self._come_right()
                    self._say_to_all()  # what is replayed late comes before these
                    await self._come_right()
            except TimeoutError:
                away = [client.name for client in self.clients if not client.connected]
                text = f"it did not come right within {PATIENCE_SECONDS:g} s; away: {away}"
                self.oracle.broke(text)
            self._judge()

    async def _traffic(self) -> None:
        source = chance("traffic", self._schedule.seed)
        async with asyncio.TaskGroup() as steps:
            for step in self._schedule.steps:
                steps.create_task(self._play(step))
            for self._tick in range(TICKS * 2):
                self.shared.tell()
                if self._tick < TICKS:
                    for speaker in self.clients:
                        speaker.say(source.choice(self.clients).name)
                await asyncio.sleep(TICK_SECONDS)  # the pace of the traffic, nobody's readiness
        self._site.heal_links()

    async def _play(self, step: Step) -> None:
        await self.shared.until(lambda: self._tick >= step.tick)
        async with self._locks[self._harm.victim(step)]:
            await self._harm.begin(step)
            await self.shared.until(lambda: self._tick >= step.tick + step.ticks)
            await self._harm.undo(step)

    async def _come_right(self) -> None:
        clients, oracle = self.clients, self.oracle
        await self.shared.until(lambda: oracle.content and all(p.connected for p in clients))

    def _say_to_all(self) -> None:
        for speaker in self.clients:
            for listener in self.clients:
                speaker.say(listener.name)

    def _judge(self) -> None:
        if {step.fault for step in self._schedule.steps} <= set(BEHIND_THE_EDGE):
            for client in self.clients:
                for end in client.ends:
                    self.oracle.broke(f"a socket of {client.name} ended: {end}")
        if self.oracle.broken:
            told = [str(self._schedule), self.oracle.report(), self._site.tails]
            raise AssertionError("\n".join(told))

    def _times(self, names: list[str]) -> dict[str, int]:
        """How often who may get one letter: plain clients once more for each loss."""
        losses = sum(step.fault not in BEHIND_THE_EDGE for step in self._schedule.steps)
        return {name: 1 + losses for name in names if not name.endswith("sdk")}
