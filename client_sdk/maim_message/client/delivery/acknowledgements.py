"""Who waits for the edge's answer to a message, and for how long; one timer for all of them."""

from __future__ import annotations

import asyncio
import heapq
from typing import Optional

# `None`: acknowledged; a text: why not.
Answer = asyncio.Future[Optional[str]]


class PendingAcks:
    """Acknowledgements that are waited for, by `msg_id`."""

    def __init__(self) -> None:
        self._waited_for: dict[str, Answer] = {}
        self._limits: list[tuple[float, str, float]] = []  # a heap of (when, msg_id, seconds)
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, msg_id: str) -> Answer:
        """Wait for the answer to a message; `forget` must follow."""
        answer: Answer = asyncio.get_running_loop().create_future()
        self._waited_for[msg_id] = answer
        return answer

    def forget(self, msg_id: str) -> None:
        """Wait no longer."""
        self._waited_for.pop(msg_id, None)

    def limit(self, msg_id: str, seconds: float | None) -> None:
        """Let the answer be an error when there is none in so many seconds from now."""
        if seconds is None:
            return
        loop = asyncio.get_running_loop()
        self._drop_answered()
        heapq.heappush(self._limits, (loop.time() + seconds, msg_id, seconds))
        self._set_timer(loop)

    def settle(self, msg_id: str, error: str | None) -> bool:
        """Give the answer to who waits for it; False when nobody does."""
        answer = self._waited_for.get(msg_id)
        if answer is None:
            return False
        if not answer.done():
            answer.set_result(error)
        return True

    def settle_all(self, error: str) -> None:
        """Give everybody who waits the same error."""
        for msg_id in self._waited_for:
            self.settle(msg_id, error)
        self._limits.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop_answered(self) -> None:
        while self._limits and self._limits[0][1] not in self._waited_for:
            heapq.heappop(self._limits)

    def _set_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        when = self._limits[0][0]
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._limits and self._limits[0][0] <= loop.time():
            _, msg_id, seconds = heapq.heappop(self._limits)
            self.settle(msg_id, f"no acknowledgement of {msg_id} in {seconds:g} s")
        self._drop_answered()
        if self._limits:
            self._set_timer(loop)
