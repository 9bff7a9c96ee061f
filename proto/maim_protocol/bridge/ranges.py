"""Ordinals gathered into ranges: pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator


def to_ranges(ordinals: Iterable[int]) -> list[tuple[int, int]]:
    """Join ordinals, in any order, into sorted ranges with both ends included."""
    ordered = sorted(ordinals)
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1 == len(set(ordered)) - 1:
        return [(ordered[0], ordered[-1])]
    ranges: list[tuple[int, int]] = []
    for ordinal in ordered:
        if ranges and ordinal <= ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], ordinal))
        else:
            ranges.append((ordinal, ordinal))
    return ranges


def covered(ranges: Iterable[tuple[int, int]], known: Collection[int]) -> Iterator[int]:
    """Name the `known` ordinals that lie in the ranges, which `to_ranges` made.

    `known` is in rising order and looked up quickly. A range costs no more than `known` is long,
    for the other side may claim what it likes. Raises `ValueError` for ranges that are not in
    rising order.
    """
    end = -1
    for first, last in ranges:
        if not end < first <= last:
            raise ValueError(f"expected ranges in rising order, got {first} to {last} after {end}")
        end = last
        if last - first < len(known):
            yield from (ordinal for ordinal in range(first, last + 1) if ordinal in known)
        else:
            yield from [ordinal for ordinal in known if first <= ordinal <= last]
