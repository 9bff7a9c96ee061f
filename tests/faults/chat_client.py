"""Who talks through a site and tells the oracle, whatever their clients are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from tests.faults.plain_client import PlainClient
from tests.faults.sdk_client import SdkClient
from tests.faults.shared_oracle import SharedOracle


class ChatClient(Protocol):
    """Somebody who sends letters and gets some."""

    name: str
    # Why links ended, but for the last, which the client ended.
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


def chat_client(shared: SharedOracle, name: str, *urls: str) -> ChatClient:
    """Make the client whose kind the name ends with: sdk, plain, or silent, who acks nothing."""
    if name.endswith("sdk"):
        return SdkClient(shared, name, *urls)
    return PlainClient(shared, name, *urls, acknowledges=not name.endswith("silent"))


@asynccontextmanager
async def connected_clients(clients: Sequence[ChatClient]) -> AsyncIterator[None]:
    """Let clients come, and go at the end."""
    try:
        await asyncio.gather(*(each.arrive() for each in clients))
        yield
    finally:
        await asyncio.gather(*(each.leave() for each in clients))
