"""Ordinals gathered into ranges: pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Iterable


def to_ranges(ordinals: Iterable[int]) -> list[tuple[int, int]]:
    """Join ordinals, in any order, into sorted ranges with both ends included."""
    ranges: list[tuple[int, int]] = []
    for ordinal in sorted(ordinals):
        if ranges and ordinal <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], ordinal))
        else:
            ranges.append((ordinal, ordinal))
    return ranges
