"""Pings for all WebSockets of a server with one timer, and when a silent peer is given up."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import NamedTuple, Protocol

# Connections are looked after in so many groups, one after the other.
GROUPS = 32


class PingAction(Enum):
    """What a connection needs now."""

    NOTHING = 0
    PING = 1
    DROP = 2


class PingTiming(NamedTuple):
    """Between two pings, and from a ping to the end of patience, in ticks."""

    interval: int
    timeout: int | None


class PingState:
    """When one peer was pinged, and since when it owes an answer; times in ticks. No clock."""

    __slots__ = ("_owed_since", "_pinged_at", "_unsent")

    def __init__(self) -> None:
        self._pinged_at: int | None = None
        self._owed_since: int | None = None
        self._unsent = 0

    def answered(self) -> None:
        """Note a pong."""
        self._owed_since = None

    def tick(self, now: int, timing: PingTiming, unsent: int, paused: bool) -> PingAction:
        """Decide; `unsent` bytes wait for the peer, `paused` says that it is not listened to.

        A peer that could not have answered is not dropped: its pong waits behind what we do not
        take, or our ping behind what it is still taking.
        """
        if self._owed_since is not None and timing.timeout is not None:
            if paused or unsent < self._unsent:
                self._owed_since, self._unsent = now, unsent
            elif now - self._owed_since >= timing.timeout:
                return PingAction.DROP
        if self._pinged_at is not None and now - self._pinged_at < timing.interval:
            return PingAction.NOTHING
        self._pinged_at = now
        if self._owed_since is None:
            self._owed_since, self._unsent = now, unsent
        return PingAction.PING


class Pingable(Protocol):
    """A connection that is kept alive."""

    def tick(self, now: int, timing: PingTiming) -> None:
        """Ping the peer or drop it, when it is time for that."""


class Keepalive:
    """Beats for every connection each `min(interval, timeout)` seconds.

    Its clock stands still while the event loop is held up: that is not the peers' fault.
    """

    def __init__(self, interval: float, timeout: float | None) -> None:
        self._tick = min(interval, timeout or interval) / GROUPS
        ticks = None if timeout is None else round(timeout / self._tick)
        self._timing = PingTiming(round(interval / self._tick), ticks)
        self._groups: list[set[Pingable]] = [set() for _ in range(GROUPS)]
        self._now = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Pingable) -> None:
        """Look after a connection, for the first time when all others have had their turn."""
        self._groups[self._now % GROUPS].add(connection)
        if self._timer is None:
            self._wait()

    def discard(self, connection: Pingable) -> None:
        """Leave a connection alone."""
        for group in self._groups:
            group.discard(connection)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick, self._turn)

    def _turn(self) -> None:
        self._now += 1
        for connection in list(self._groups[self._now % GROUPS]):
            connection.tick(self._now, self._timing)
        if any(self._groups):
            self._wait()
        else:
            self._timer = None
