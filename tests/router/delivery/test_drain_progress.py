"""Which letters of a box are on their way to whom."""

from __future__ import annotations

import msgspec
import pytest

from maim_router.bridge.prefetch import SLICE_BYTES, SLICE_LETTERS, Slice, slice_for
from maim_router.connection_map import Entry
from maim_router.delivery.drain_progress import Round
from tests.router.connection_map.contract import entry


def came(conn: int, number: int) -> Entry:
    return msgspec.structs.replace(entry(conn), came=number)


def test_a_box_is_emptied_in_order_and_a_slice_at_a_time() -> None:
    going = Round()
    numbers = list(range(SLICE_LETTERS + 10))
    assert going.next(numbers) == numbers[:SLICE_LETTERS]
    for number in going.next(numbers):
        going.leave(number, 1)
    assert going.full
    assert (going.next(numbers), going.waits(numbers)) == ([], True)
    going.over(0)
    assert not going.full
    assert going.next(numbers[1:]) == [SLICE_LETTERS]


def test_a_slice_is_full_of_bytes_too() -> None:
    going = Round()
    going.leave(1, SLICE_BYTES)
    assert going.full
    going.leave(1, SLICE_BYTES)
    going.back(1)
    assert going.full
    going.back(1)
    assert (going.full, going.bytes, going.out) == (False, 0, {})


def test_a_letter_is_for_who_came_for_it_and_for_who_was_here() -> None:
    here = [came(1, 10), came(2, 30), came(3, 30)]
    going = Round(targets={here[1].uuid})
    assert going.recipients(20, here) == here[:2]
    assert going.recipients(40, here) == here


def test_what_is_over_may_be_said_twice() -> None:
    going = Round()
    going.over(7)
    going.back(7)
    assert going.bytes == 0


@pytest.mark.parametrize(
    ("outbox", "expected"),
    [
        ((0, 0), Slice(SLICE_LETTERS, SLICE_BYTES)),
        ((1 << 30, 10_000), Slice(SLICE_LETTERS, SLICE_BYTES)),
        ((1_000_000, 100), Slice(50, 500_000)),
        ((1, 1), Slice(1, 0)),
    ],
)
def test_a_slice_leaves_half_of_an_outbox_to_others(
    outbox: tuple[int, int], expected: Slice
) -> None:
    assert slice_for(*outbox) == expected


def test_the_smallest_outbox_of_all_who_get_a_letter_counts() -> None:
    going = Round()
    going.fit([Slice(10, 5_000), Slice(20, 500)])
    assert going.slice == Slice(10, 500)


def test_however_small_a_slice_is_one_letter_leaves() -> None:
    going = Round(slice=slice_for(1, 1))
    assert not going.full
    going.leave(1, 100)
    assert going.full
