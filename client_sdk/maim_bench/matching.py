"""Which messages are on their way: matches what was sent with what came back; no clock, no I/O."""

from __future__ import annotations

from collections import Counter
from typing import Any

from maim_bench.histogram import Histogram

_FOLD_AT = 20_000


class Window:
    """What happened between two moments; a message belongs to where it was completed."""

    def __init__(self) -> None:
        self.sent = self.delivered = self.acked = self.completed = 0
        self.duplicates = 0
        self.errors: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.histogram = Histogram()

    def latency(self, seconds: float) -> None:
        """Note one latency."""
        self.latencies.append(seconds)
        if len(self.latencies) >= _FOLD_AT:
            self.fold()

    def fold(self) -> None:
        """Move the noted latencies into the histogram."""
        self.histogram.add(self.latencies)
        self.latencies.clear()

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain values."""
        self.fold()
        names = ("sent", "delivered", "acked", "completed", "duplicates")
        counts = {name: getattr(self, name) for name in names}
        return counts | {"errors": dict(self.errors), "histogram": self.histogram.to_dict()}


class Matching:
    """Messages that are not delivered or not acknowledged yet, by token, with their moment.

    A message is complete when everything that is awaited of it has come: `deliveries`, `acks`.
    """

    def __init__(self, *, deliveries: bool, acks: bool) -> None:
        self.window = Window()
        self.undelivered: dict[bytes, float] = {}
        self.unacked: dict[bytes, float] = {}
        self._deliveries = deliveries
        self._acks = acks

    def sent(self, token: bytes, at: float) -> None:
        """Note a message that was sent, or was due, at a moment."""
        self.window.sent += 1
        if self._deliveries:
            self.undelivered[token] = at
        if self._acks:
            self.unacked[token] = at

    def delivered(self, token: bytes, now: float) -> bool:
        """Note that the receiver has a message; False when it had it before."""
        at = self.undelivered.pop(token, None)
        window = self.window
        if at is None:
            window.duplicates += 1
            return False
        window.delivered += 1
        window.latency(now - at)
        if token not in self.unacked:
            window.completed += 1
        return True

    def acked(self, token: bytes, now: float) -> bool:
        """Note that the sender has the ack; False when it had one before, or none is awaited."""
        if not self._acks:
            return False
        at = self.unacked.pop(token, None)
        window = self.window
        if at is None:
            window.duplicates += 1
            return False
        window.acked += 1
        if not self._deliveries:
            window.latency(now - at)
        if token not in self.undelivered:
            window.completed += 1
        return True

    def failed(self, token: bytes, code: str) -> bool:
        """Note that a message was refused; False when it was not on its way."""
        self.window.errors[code] += 1
        waited = self.undelivered.pop(token, None), self.unacked.pop(token, None)
        return waited != (None, None)

    @property
    def open(self) -> int:
        """How many messages are not complete."""
        return len(self.undelivered.keys() | self.unacked.keys())
