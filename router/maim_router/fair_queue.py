"""Places that many share: a queue for each key, served in turn, and a share for each. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# One part in so many of the places is kept from those who hold many.
RESERVED_PART = 4


class FairQueue(Generic[K, T]):
    """`limit` places at once; what finds none waits behind the earlier ones of its key.

    Three quarters of the places are for anybody. Of the last quarter nobody gets more than is
    still free: however many hold theirs for ever, whoever comes new finds a place (the dynamic
    thresholds of Choudhury and Hahne, IEEE/ACM Transactions on Networking 6.2, 1998).
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open = limit - limit // RESERVED_PART
        # Whose turn it is next stands first.
        self._queues: dict[K, deque[T]] = {}
        self._held: dict[K, int] = {}
        self.active = 0

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._queues.values()))

    def __iter__(self) -> Iterator[T]:
        return (item for queue in self._queues.values() for item in queue)

    def __contains__(self, key: K) -> bool:
        """Whether a key holds a place, or waits for one."""
        return key in self._held or key in self._queues

    def enter(self, key: K) -> bool:
        """Take a place, unless the key has to wait."""
        if key in self._queues or not self._may_enter(key):
            return False
        self._take(key)
        return True

    def wait(self, key: K, item: T) -> None:
        """Let something wait for a place."""
        self._queues.setdefault(key, deque()).append(item)

    def next(self) -> T | None:
        """Give a place to what is next, and return that; None when nothing may have one."""
        if self.active >= self._limit:
            return None
        for key in self._queues:
            if self._may_enter(key):
                break
        else:
            return None
        queue = self._queues.pop(key)
        item = queue.popleft()
        if queue:
            self._queues[key] = queue  # behind all others
        self._take(key)
        return item

    def leave(self, key: K) -> None:
        """Give a place back."""
        self.active -= 1
        held = self._held[key] - 1
        if held:
            self._held[key] = held
        else:
            del self._held[key]

    def discard(self, key: K, item: T) -> None:
        """Let something wait no longer."""
        queue = self._queues[key]
        queue.remove(item)
        if not queue:
            del self._queues[key]

    def clear(self) -> None:
        """Forget what waits."""
        self._queues.clear()

    def _may_enter(self, key: K) -> bool:
        free = self._limit - self.active
        return free > 0 and (self.active < self._open or self._held.get(key, 0) < free)

    def _take(self, key: K) -> None:
        self.active += 1
        self._held[key] = self._held.get(key, 0) + 1
