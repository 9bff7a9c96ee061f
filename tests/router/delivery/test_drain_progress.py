"""Which letters of a box are on their way to whom."""

from __future__ import annotations

import msgspec
import pytest

from maim_router.bridge.prefetch import PREFETCH_BYTES, PREFETCH_LETTERS, Prefetch, prefetch_for
from maim_router.connection_map import Entry
from maim_router.delivery.drain_progress import DrainProgress
from tests.router.connection_map.contract import entry


def since(conn: int, number: int) -> Entry:
    return msgspec.structs.replace(entry(conn), since=number)


def test_a_box_is_emptied_in_order_and_a_slice_at_a_time() -> None:
    progress = DrainProgress()
    numbers = list(range(PREFETCH_LETTERS + 10))
    assert progress.next(numbers) == numbers[:PREFETCH_LETTERS]
    for number in progress.next(numbers):
        progress.leave(number, 1)
    assert progress.full
    assert (progress.next(numbers), progress.waits(numbers)) == ([], True)
    progress.over(0)
    assert not progress.full
    assert progress.next(numbers[1:]) == [PREFETCH_LETTERS]


def test_a_slice_is_full_of_bytes_too() -> None:
    progress = DrainProgress()
    progress.leave(1, PREFETCH_BYTES)
    assert progress.full
    progress.leave(1, PREFETCH_BYTES)
    progress.back(1)
    assert progress.full
    progress.back(1)
    assert (progress.full, progress.bytes, progress.out) == (False, 0, {})


def test_a_letter_is_for_who_came_for_it_and_for_who_was_here() -> None:
    here = [since(1, 10), since(2, 30), since(3, 30)]
    progress = DrainProgress(targets={here[1].uuid})
    assert progress.recipients(20, here) == here[:2]
    assert progress.recipients(40, here) == here


def test_what_is_over_may_be_said_twice() -> None:
    progress = DrainProgress()
    progress.over(7)
    progress.back(7)
    assert progress.bytes == 0


@pytest.mark.parametrize(
    ("outbox", "expected"),
    [
        ((0, 0), Prefetch(PREFETCH_LETTERS, PREFETCH_BYTES)),
        ((1 << 30, 10_000), Prefetch(PREFETCH_LETTERS, PREFETCH_BYTES)),
        ((1_000_000, 100), Prefetch(50, 500_000)),
        ((1, 1), Prefetch(1, 0)),
    ],
)
def test_a_slice_leaves_half_of_an_outbox_to_others(
    outbox: tuple[int, int], expected: Prefetch
) -> None:
    assert prefetch_for(*outbox) == expected


def test_the_smallest_outbox_of_all_who_get_a_letter_counts() -> None:
    progress = DrainProgress()
    progress.fit([Prefetch(10, 5_000), Prefetch(20, 500)])
    assert progress.prefetch == Prefetch(10, 500)


def test_however_small_a_slice_is_one_letter_leaves() -> None:
    progress = DrainProgress(prefetch=prefetch_for(1, 1))
    assert not progress.full
    progress.leave(1, 100)
    assert progress.full
