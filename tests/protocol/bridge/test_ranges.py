"""Ordinals as ranges."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.bridge.ranges import covered, to_ranges


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


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_ranges_cover_the_known_ordinals_that_they_hold(named: set[int], known: set[int]) -> None:
    assert list(covered(to_ranges(named), sorted(known))) == sorted(named & known)


def test_a_range_costs_no_more_than_what_is_known() -> None:
    assert list(covered([(0, 2**64 - 1)], {3: "a", 9: "b"})) == [3, 9]


@pytest.mark.parametrize("ranges", [[(5, 4)], [(1, 3), (3, 4)], [(0, 2**64 - 1)] * 2])
def test_ranges_that_do_not_rise_are_refused(ranges: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="rising order"):
        list(covered(ranges, range(1, 9)))
