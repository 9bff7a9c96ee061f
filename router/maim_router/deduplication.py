"""Which messages of a user were seen lately: pure, bounded, the clock is passed in."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

W = TypeVar("W", bound=Hashable)
Key = tuple[str, str]


class Seen(enum.Enum):
    """What is known of a message."""

    NEW = "new"
    RUNNING = "running"
    SETTLED = "settled"


# Looked up once here: an enumeration's attributes cost more than the rest of `note`.
NEW, RUNNING, SETTLED = Seen


class DedupWindow(Generic[W]):
    """A window over the msg_ids of every user.

    Settled ones leave after `window` seconds or when `limit` younger ones have come. Running
    ones stay: whoever sends one of them is kept with it, so that each gets the answer. How many
    run is bounded by what the edges keep until it is settled.
    """

    def __init__(self, window: float, limit: int = 100_000) -> None:
        self._window = window
        self._limit = limit
        self._now = 0.0
        # Waiters in order of arrival: one nearly always, so a tuple, and a dictionary for more.
        self._running: dict[Key, tuple[W] | dict[W, None]] = {}
        self._settled: dict[Key, float] = {}
        self._oldest_first: deque[Key] = deque()

    def __len__(self) -> int:
        return len(self._running) + len(self._settled)

    def advance(self, now: float) -> None:
        """Let time pass, to `now`: what has been settled for the whole window is forgotten."""
        self._now = now
        settled, oldest_first, end = self._settled, self._oldest_first, now - self._window
        while oldest_first and settled[oldest_first[0]] < end:
            del settled[oldest_first.popleft()]

    def note(self, user_id: str, msg_id: str, waiter: W) -> Seen:
        """Note that a message came; a running one remembers who waits for its end."""
        key = (user_id, msg_id)
        if key in self._settled:
            return SETTLED
        waiting = self._running.get(key)
        if waiting is None:
            self._running[key] = (waiter,)
            return NEW
        if not isinstance(waiting, dict):
            waiting = self._running[key] = dict.fromkeys(waiting)
        waiting[waiter] = None
        return RUNNING

    def settle(self, user_id: str, msg_id: str) -> tuple[W, ...]:
        """End a message well; returns everybody who waits for it."""
        key = (user_id, msg_id)
        waiting = self._running.pop(key, None)
        if waiting is None:
            return ()
        self._settled[key] = self._now
        self._oldest_first.append(key)
        if len(self._oldest_first) > self._limit:
            del self._settled[self._oldest_first.popleft()]
        return tuple(waiting)

    def forget(self, user_id: str, msg_id: str) -> tuple[W, ...]:
        """End a message badly, so that it may be tried again; returns who waits for it."""
        return tuple(self._running.pop((user_id, msg_id), ()))
