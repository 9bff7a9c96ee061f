"""Which messages of a user were seen lately: pure, bounded, the clock is passed in."""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

W = TypeVar("W", bound=Hashable)
Key = tuple[str, str]


class Seen(enum.Enum):
    """What is known of a message."""

    NEW = "new"
    RUNNING = "running"
    SETTLED = "settled"


class Recent(Generic[W]):
    """A window over the msg_ids of every user.

    Settled ones leave after `window` seconds or when `limit` younger ones have come. Running
    ones stay: whoever sends one of them is kept with it, so that each gets the answer. How many
    run is bounded by what the edges keep until it is settled.
    """

    def __init__(self, window: float, limit: int = 100_000) -> None:
        self._window = window
        self._limit = limit
        self._now = 0.0
        # Waiters are kept in order of arrival; one that repeats itself waits once.
        self._running: dict[Key, dict[W, None]] = {}
        self._settled: OrderedDict[Key, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._running) + len(self._settled)

    def note(self, user_id: str, msg_id: str, waiter: W, now: float) -> Seen:
        """Note that a message came; a running one remembers who waits for its end."""
        self._expire(now)
        key = (user_id, msg_id)
        if key in self._settled:
            return Seen.SETTLED
        waiting = self._running.get(key)
        if waiting is None:
            self._running[key] = {waiter: None}
            return Seen.NEW
        waiting[waiter] = None
        return Seen.RUNNING

    def settle(self, user_id: str, msg_id: str) -> list[W]:
        """End a message well; returns everybody who waits for it."""
        waiting = self._running.pop((user_id, msg_id), None)
        if waiting is None:
            return []
        self._settled[(user_id, msg_id)] = self._now
        if len(self._settled) > self._limit:
            self._settled.popitem(last=False)
        return list(waiting)

    def forget(self, user_id: str, msg_id: str) -> list[W]:
        """End a message badly, so that it may be tried again; returns who waits for it."""
        return list(self._running.pop((user_id, msg_id), ()))

    def _expire(self, now: float) -> None:
        self._now = now
        while self._settled:
            key, since = next(iter(self._settled.items()))
            if since >= now - self._window:
                return
            del self._settled[key]
