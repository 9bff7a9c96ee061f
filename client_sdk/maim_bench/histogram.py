"""Latencies in buckets of about one percent, as HdrHistogram has them; no clock, no I/O.

The library of that name needs setuptools at run time, which a user of `maim` shall not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

# Buckets of each power of two; a bucket is at most 1/128 of its values wide.
_BITS = 7
_HALF = 1 << _BITS
PERCENTILES = (50.0, 90.0, 99.0, 99.9)


class Histogram:
    """Counts of values in whole microseconds."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.total = 0
        self.largest_us = 0

    def add(self, seconds: Iterable[float]) -> None:
        """Count latencies; one below zero (clocks of two threads) counts as zero."""
        counts = self._counts
        for value in seconds:
            us = max(0, round(value * 1e6))
            bucket = _bucket(us)
            counts[bucket] = counts.get(bucket, 0) + 1
            self.total += 1
            self.largest_us = max(self.largest_us, us)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another one."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.total += other.total
        self.largest_us = max(self.largest_us, other.largest_us)

    def percentile_us(self, percent: float) -> float:
        """Tell the value that this part of all is at or below; 0 when there is none."""
        wanted = self.total * percent / 100
        seen = 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                return min(_highest(bucket), self.largest_us)
        return 0.0

    def summary_ms(self) -> dict[str, float]:
        """Tell the usual percentiles and the largest value in milliseconds."""
        found = {f"p{percent:g}": self.percentile_us(percent) / 1000 for percent in PERCENTILES}
        return found | {"max": self.largest_us / 1000}

    def to_dict(self) -> dict[str, object]:
        """Write it as plain values, for another process."""
        return {"counts": sorted(self._counts.items()), "largest_us": self.largest_us}

    @classmethod
    def from_dict(cls, written: dict[str, object]) -> Self:
        """Read what `to_dict` wrote."""
        made = cls()
        counts: list[tuple[int, int]] = written["counts"]  # type: ignore[assignment] # ours
        made._counts = {bucket: count for bucket, count in counts}
        made.total = sum(made._counts.values())
        made.largest_us = int(written["largest_us"])  # type: ignore[call-overload] # ours
        return made


def _bucket(us: int) -> int:
    """Small values have buckets of their own, larger ones share by their leading bits."""
    shift = max(0, us.bit_length() - _BITS - 1)
    return (shift << _BITS) + (us >> shift)


def _highest(bucket: int) -> int:
    if bucket < 2 * _HALF:
        return bucket
    shift = (bucket >> _BITS) - 1
    return ((bucket - (shift << _BITS) + 1) << shift) - 1
