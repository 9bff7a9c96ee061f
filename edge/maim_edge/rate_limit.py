"""How much a client may send and how often it may be wrong: pure, the clock is passed in."""

from __future__ import annotations

from collections import deque

BAD_FRAMES = 20
BAD_FRAMES_SECONDS = 60.0


class TokenBucket:
    """Lets `rate` units a second pass, with a burst of one second's worth; 0: no limit."""

    __slots__ = ("_rate", "_since", "_tokens")

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

    __slots__ = ("_limit", "_seconds", "_times")

    def __init__(self, limit: int = BAD_FRAMES, seconds: float = BAD_FRAMES_SECONDS) -> None:
        self._limit = limit
        self._seconds = seconds
        self._times: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> bool:
        """Note an error; True when it was the last one that is forgiven."""
        self._times.append(now)
        return len(self._times) == self._limit and now - self._times[0] <= self._seconds


class Limits:
    """The limits of one connection; most have none, and never are wrong."""

    __slots__ = ("_bad_frames", "_bytes", "_messages", "_over_rate")

    def __init__(self, messages_per_second: float, bytes_per_second: float, now: float) -> None:
        self._messages = TokenBucket(messages_per_second, now) if messages_per_second else None
        self._bytes = TokenBucket(bytes_per_second, now) if bytes_per_second else None
        self._bad_frames: Strikes | None = None
        self._over_rate: Strikes | None = None

    @property
    def limited(self) -> bool:
        """Whether `allow` may ever say no."""
        return self._messages is not None or self._bytes is not None

    def allow(self, size: int, now: float, *, counts: bool = True) -> bool:
        """Whether a frame of `size` bytes may pass at `now` (monotonic seconds).

        An acknowledgement does not count as a message: how many there are is not up to the client.
        """
        if counts and self._messages is not None and not self._messages.take(1, now):
            return False
        return self._bytes is None or self._bytes.take(size, now)

    def bad_frame(self, now: float) -> bool:
        """Note a frame that was not understood; True when it was the last one forgiven."""
        self._bad_frames = self._bad_frames or Strikes()
        return self._bad_frames.add(now)

    def over_rate(self, now: float) -> bool:
        """Note a frame that `allow` turned away; True when it was the last one forgiven."""
        self._over_rate = self._over_rate or Strikes()
        return self._over_rate.add(now)
