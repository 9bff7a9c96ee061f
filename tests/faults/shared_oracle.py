"""What everybody in a test shares: the oracle, and a way to wait for what it comes to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.faults.oracle import Letter, Oracle


class SharedOracle:
    """Whoever tells the oracle something says so with `tell`."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self._news: set[asyncio.Event] = set()

    def tell(self) -> None:
        """Say that something is new."""
        for event in self._news:
            event.set()

    def heard(self, receiver: str, text: str) -> bool:
        """Tell the oracle of a letter that came; False when it is none."""
        if ">" not in text:
            return False
        self.oracle.arrived(receiver, Letter.read(text))
        self.tell()
        return True

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until a fact holds, asking whenever something is new."""
        event = asyncio.Event()
        self._news.add(event)
        try:
            while not fact():
                event.clear()
                await event.wait()
        finally:
            self._news.discard(event)
