"""How much a client may send and how often it may be wrong: pure, the clock is passed in."""

from __future__ import annotations

from collections import deque

BAD_FRAMES = 20
BAD_FRAMES_SECONDS = 60.0


class TokenBucket:
    """Lets `rate` units a second pass, with a burst of one second's worth; 0: no limit."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._tokens = rate
        self._since = now

    def take(self, units: float, now: float) -> bool:
        """Take units if there are enough; what is larger than the burst leaves a debt."""
        if self._rate <= 0:
            return True
        self._tokens = min(self._rate, self._tokens + (now - self._since) * self._rate)
        self._since = now
        if self._tokens < min(units, self._rate):
            return False
        self._tokens -= units
        return True


class Strikes:
    """Counts errors of a connection within the last minute."""

    def __init__(self, limit: int = BAD_FRAMES, seconds: float = BAD_FRAMES_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._times: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> bool:
        """Note an error; True when it was the last one that is forgiven."""
        self._times.append(now)
        return len(self._times) == self._limit and now - self._times[0] <= self._seconds


class Limits:
    """The limits of one connection."""

    def __init__(self, messages_per_second: float, bytes_per_second: float, now: float) -> None:
        self._messages = TokenBucket(messages_per_second, now)
        self._bytes = TokenBucket(bytes_per_second, now)
        self.bad_frames = Strikes()
        self.over_rate = Strikes()

    def allow(self, size: int, now: float, *, counts: bool = True) -> bool:
        """Whether a frame of `size` bytes may pass at `now` (monotonic seconds).

        An acknowledgement does not count as a message: how many there are is not up to the client.
        """
        return (not counts or self._messages.take(1, now)) and self._bytes.take(size, now)
