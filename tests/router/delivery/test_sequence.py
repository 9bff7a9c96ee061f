"""The place of a message among all that a router takes."""

from __future__ import annotations

from maim_router.delivery.sequence import Numbers, last_number


def test_numbers_are_microseconds_and_grow() -> None:
    numbers = Numbers()
    assert numbers.next(1.5) == 1_500_000
    assert [numbers.next(1.5), numbers.next(1.5)] == [1_500_001, 1_500_002]
    assert numbers.next(2.0) == 2_000_000


def test_a_clock_that_goes_back_gives_no_number_twice() -> None:
    numbers = Numbers()
    numbers.next(100.0)
    assert numbers.next(5.0) == 100_000_001
    assert numbers.last == 100_000_001


def test_a_later_run_goes_on_after_the_earlier_one() -> None:
    assert Numbers(after=9_000_000).next(1.0) == 9_000_001


def test_without_a_mailbox_there_is_no_earlier_run() -> None:
    assert last_number(None) == 0
