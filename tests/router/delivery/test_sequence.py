"""The place of a message among all that a router takes."""

from __future__ import annotations

from maim_router.delivery.sequence import MessageSequence, last_number


def test_numbers_are_microseconds_and_grow() -> None:
    sequence = MessageSequence()
    assert sequence.next(1.5) == 1_500_000
    assert [sequence.next(1.5), sequence.next(1.5)] == [1_500_001, 1_500_002]
    assert sequence.next(2.0) == 2_000_000


def test_a_clock_that_goes_back_gives_no_number_twice() -> None:
    sequence = MessageSequence()
    sequence.next(100.0)
    assert sequence.next(5.0) == 100_000_001
    assert sequence.last == 100_000_001


def test_a_later_run_goes_on_after_the_earlier_one() -> None:
    assert MessageSequence(after=9_000_000).next(1.0) == 9_000_001


def test_without_a_mailbox_there_is_no_earlier_run() -> None:
    assert last_number(None) == 0
