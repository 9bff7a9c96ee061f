"""Who talks through a site and tells the oracle, whatever their clients are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from tests.faults.plain_person import PlainPerson
from tests.faults.sdk_person import SdkPerson
from tests.faults.town import Town


class Person(Protocol):
    """Somebody who sends letters and gets some."""

    name: str
    # Why links ended, but for the last, which the person ended.
    ends: list[str]
    # When there was a link, on the clock of the event loop.
    comings: list[float]
    # The ids of messages that came and are no letters.
    strange: list[str]

    @property
    def connected(self) -> bool:
        """Whether it is there."""

    def say(self, receiver: str, padding: int = 0) -> None:
        """Write to somebody; the oracle hears what becomes of it."""

    async def arrive(self) -> None:
        """Come, and stay until `leave`."""

    async def leave(self) -> None:
        """Go, and end every task."""


def person(town: Town, name: str, *urls: str) -> Person:
    """Make the person whose kind the name ends with: sdk, plain, or silent, who acks nothing."""
    if name.endswith("sdk"):
        return SdkPerson(town, name, *urls)
    return PlainPerson(town, name, *urls, acknowledges=not name.endswith("silent"))


@asynccontextmanager
async def present(people: Sequence[Person]) -> AsyncIterator[None]:
    """Let people come, and go at the end."""
    try:
        await asyncio.gather(*(each.arrive() for each in people))
        yield
    finally:
        await asyncio.gather(*(each.leave() for each in people))
