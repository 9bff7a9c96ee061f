"""How long to wait before attaching again: exponential with full jitter, pure."""

from __future__ import annotations

from collections.abc import Callable


class Backoff:
    """Waits grow from `base` to `limit` seconds; `random` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float], base: float = 0.1, limit: float = 3.0) -> None:
        self._random = random
        self._base = base
        self._limit = limit
        self._failures = 0

    def next(self) -> float:
        """The wait after one more failure, in seconds."""
        ceiling = min(self._limit, self._base * 2.0**self._failures)
        self._failures = min(self._failures + 1, 32)
        return self._random() * ceiling

    def reset(self) -> None:
        """Begin anew after a success."""
        self._failures = 0
