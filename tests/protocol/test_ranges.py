"""Ordinals as ranges."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.ranges import to_ranges


def test_neighbours_are_joined_in_any_order() -> None:
    assert to_ranges([5, 1, 2, 9, 3]) == [(1, 3), (5, 5), (9, 9)]


def test_nothing_makes_no_range() -> None:
    assert to_ranges([]) == []


@given(st.lists(st.integers(1, 40)))
def test_ranges_hold_exactly_the_ordinals(ordinals: list[int]) -> None:
    ranges = to_ranges(ordinals)
    spread = [n for first, last in ranges for n in range(first, last + 1)]
    assert spread == sorted(set(ordinals))
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))
