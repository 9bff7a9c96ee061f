"""The index of a mailbox: small whatever lies in it, quick at both ends of a large box."""

from __future__ import annotations

import tracemalloc

import pytest

from maim_router.mailbox.index import Index

U = ("u", "qq")


def used(index: Index, boxes: int, letters: int) -> float:
    """Add so many letters to so many boxes; returns bytes of memory a letter."""
    keys = [(f"u{box}", "qq") for box in range(boxes)]
    tracemalloc.start()
    try:
        for number in range(letters):
            for key in keys:
                index.add(key, 1_000_000 + number, 300, 1e9 + number)
        return tracemalloc.get_traced_memory()[0] / boxes / letters
    finally:
        tracemalloc.stop()


def test_a_letter_in_a_large_box_takes_less_than_40_bytes() -> None:
    assert used(Index(), boxes=2, letters=20_000) < 40


def test_a_letter_alone_in_its_box_takes_less_than_700_bytes() -> None:
    assert used(Index(), boxes=20_000, letters=1) < 700


def test_boxes_that_come_and_go_leave_nothing_behind() -> None:
    index = Index()
    for number in range(10_000):
        index.add(U, number, 1, 1e9 - number)
        index.remove(U, number)
    assert index.boxes() == []
    assert len(index._heap) < 200


def test_ends_that_come_ever_earlier_leave_nothing_behind() -> None:
    index = Index()
    for number in range(10_000):
        index.add(U, number, 1, 1e9 - number)
    assert len(index._heap) < 200
    assert index.expire(1e9 - 9_999, 10) == [(*U, 9_999)]


def test_a_large_box_is_emptied_from_the_front_and_filled_at_the_end() -> None:
    index = Index()
    for number in range(1_000):
        index.add(U, number, number, 1e9)
    for number in range(3_000):
        assert index.remove(U, number)
        assert not index.holds(U, number)
        index.add(U, 1_000 + number, 1_000 + number, 1e9)
        assert index.usage(U) == (1_000, sum(range(number + 1, number + 1_001)))
    assert index.numbers(U) == list(range(3_000, 4_000))


def test_a_number_before_all_others_comes_first_after_the_front_was_removed() -> None:
    index = Index()
    for number in range(10, 20):
        index.add(U, number, 1, 1e9)
    index.remove(U, 10)
    index.remove(U, 11)
    index.add(U, 5, 1, 1e9)
    index.add(U, 11, 1, 1e9)
    assert index.numbers(U) == [5, 11, *range(12, 20)]


@pytest.mark.parametrize("most", [1, 3, 100])
def test_boxes_expire_by_their_earliest_letter(most: int) -> None:
    index = Index()
    for number, end in enumerate((50.0, 10.0, 30.0)):
        index.add(U, number, 1, end)
        index.add(("v", "qq"), number, 1, end + 1)
    gone: list[tuple[str, str, int]] = []
    for now in range(5, 60, 5):
        while places := index.expire(now, most):
            gone += places
    assert gone == [(user, "qq", number) for number in (1, 2, 0) for user in ("u", "v")]
