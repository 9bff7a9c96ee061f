"""When the next frame of a bridge stream may leave."""

from __future__ import annotations

from dataclasses import dataclass

# Over how long the rate is taken.
WINDOW_SECONDS = 0.008


@dataclass(frozen=True, slots=True)
class Pace:
    """How a stream gathers; what a write costs decides.

    `seconds` go by between two writes while more than `above` things a second come; below
    that, what comes leaves at once.
    """

    seconds: float
    above: float = 0.0


# Whatever comes leaves in the same turn of the loop.
AT_ONCE = Pace(0.0)
# A write on grpc.aio costs some 50 µs, so it is always worth waiting for company.
GRPC_PACE = Pace(0.001)
# On a stream of ours it costs about as much as a message: waiting pays where many come.
HTTP2_PACE = Pace(0.001, above=3_000.0)


class Tempo:
    """Follows the rate at which things come, and says when to write again.

    Times are those of a monotonic clock, in seconds.
    """

    def __init__(self, pace: Pace) -> None:
        self.came = 0
        self._pace = pace
        self._since = 0.0
        self._wait = 0.0 if pace.above else pace.seconds

    def next_write(self, now: float) -> float:
        """Note a write; returns when the next one is due."""
        window = now - self._since
        if window > WINDOW_SECONDS:
            self._wait = self._pace.seconds if self.came >= self._pace.above * window else 0.0
            self._since = now
            self.came = 0
        return now + self._wait
