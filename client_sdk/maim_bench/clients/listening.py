"""Clients that only receive; a message's token is the moment it was due, in microseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from maim_bench.clients.client import Client, Wire
from maim_bench.clients.frames import TOKEN_MARK
from maim_bench.matching import Matching

_DIGITS = len(TOKEN_MARK)


class Listening:
    """Counts what comes; moments never go back, so an older one is a duplicate."""

    def __init__(self, slow: int = 0) -> None:
        self.matching = Matching(deliveries=True, acks=False)
        self.total = 0
        self._wanted = 0
        self._reached = asyncio.Event()
        self._slow = slow
        self._newest: dict[int, bytes] = {}

    def ready(self, clients: Sequence[Client], wire: Wire) -> None:
        """Take the clients; the first ones read nothing from now on if there are slow ones."""
        for client in clients[: self._slow]:
            client.pause_reading()

    async def reach(self, delivered: int) -> None:
        """Wait until so many messages were delivered in all."""
        self._wanted = delivered
        self._reached.clear()
        if self.total < delivered:
            await self._reached.wait()

    def start(self) -> None:
        """Nothing to do: others send."""

    def stop(self) -> None:
        """Nothing to do."""

    def on_delivery(self, client: Client, token: bytes, now: float) -> None:
        """Count a message and its latency."""
        window = self.matching.window
        if token <= self._newest.get(client.number, b""):
            window.duplicates += 1
            return
        self._newest[client.number] = token
        self.total += 1
        if self.total == self._wanted:
            self._reached.set()
        window.delivered += 1
        window.completed += 1
        window.latency(now - int(token[_DIGITS:]) / 1e6)

    def on_ack(self, client: Client, token: bytes, now: float) -> None:
        """Ignore it: nothing was sent."""

    def on_error(self, client: Client, token: bytes, code: str) -> None:
        """Count an error."""
        self.matching.window.errors[code] += 1

    def on_closed(self, client: Client, reason: str) -> None:
        """Count a connection that ended while it was needed."""
        self.matching.window.errors[f"closed {reason}"] += 1
