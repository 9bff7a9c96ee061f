"""Places shared by many: who gets one, and whose turn is next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_router.fair_queue import FairQueue


def filled(limit: int, *keys: str) -> FairQueue[str, str]:
    """A queue that each of these has tried to enter, in order, and else waits for."""
    queue: FairQueue[str, str] = FairQueue(limit)
    for number, key in enumerate(keys):
        if not queue.enter(key):
            queue.wait(key, f"{key}{number}")
    return queue


def test_everybody_enters_while_there_is_room() -> None:
    assert filled(4, "a", "a", "a").active == 3


def test_those_who_wait_are_served_in_turn_and_each_in_its_order() -> None:
    queue = filled(1, "x", "a", "a", "a", "b", "c")
    served = []
    key = "x"
    while len(queue):
        queue.leave(key)
        item = queue.next()
        assert item is not None
        served.append(item)
        key = item[0]
    assert served == ["a1", "b4", "c5", "a2", "a3"]


def test_whoever_waits_is_not_overtaken_by_its_own_next_one() -> None:
    queue = filled(1, "x", "a")
    queue.leave("x")
    assert not queue.enter("a")
    assert queue.next() == "a1"


def test_one_who_holds_all_it_can_leaves_places_for_others() -> None:
    queue = filled(16, *"a" * 100)
    assert queue.active == 12
    assert queue.enter("b")
    assert queue.next() is None


@given(hostile=st.integers(1, 12))
def test_however_many_hold_theirs_for_ever_a_new_one_finds_a_place(hostile: int) -> None:
    limit = 1000
    queue: FairQueue[int, int] = FairQueue(limit)
    for _ in range(limit):
        for key in range(hostile):
            queue.enter(key)
    assert queue.enter(-1)


@given(st.integers(1, 9), st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_places_are_never_more_than_the_limit_and_all_come_back(
    limit: int, steps: list[tuple[str, bool]]
) -> None:
    queue: FairQueue[str, str] = FairQueue(limit)
    holding: list[str] = []
    for key, comes in steps:
        if comes:
            if queue.enter(key):
                holding.append(key)
            else:
                queue.wait(key, key)
        elif holding:
            queue.leave(holding.pop(0))
            while (item := queue.next()) is not None:
                holding.append(item)
        assert queue.active == len(holding) <= limit
    while holding:
        queue.leave(holding.pop())
        while (item := queue.next()) is not None:
            holding.append(item)
    assert (queue.active, len(queue)) == (0, 0)
    assert not any(key in queue for key in "abc")
