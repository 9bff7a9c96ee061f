"""The window over recent messages."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_router.deduplication import DedupWindow, Seen

W = TypeVar("W", bound=Hashable)


def note(recent: DedupWindow[W], user_id: str, msg_id: str, waiter: W, now: float) -> Seen:
    """Let a message come at `now`."""
    recent.advance(now)
    return recent.note(user_id, msg_id, waiter)


def test_a_message_is_new_once() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    assert note(recent, "u", "m", "first", 0) is Seen.NEW
    assert note(recent, "u", "m", "second", 1) is Seen.RUNNING
    assert recent.settle("u", "m") == ("first", "second")
    assert note(recent, "u", "m", "third", 2) is Seen.SETTLED


def test_the_same_id_of_another_user_is_another_message() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    note(recent, "u", "m", "a", 0)
    assert note(recent, "v", "m", "b", 0) is Seen.NEW


def test_a_failed_message_may_be_tried_again() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    note(recent, "u", "m", "a", 0)
    note(recent, "u", "m", "b", 0)
    assert recent.forget("u", "m") == ("a", "b")
    assert note(recent, "u", "m", "c", 0) is Seen.NEW


def test_whoever_repeats_a_running_message_waits_once() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    for _ in range(3):
        note(recent, "u", "m", "a", 0)
    assert recent.settle("u", "m") == ("a",)


def test_settling_twice_answers_once() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    note(recent, "u", "m", "a", 0)
    recent.settle("u", "m")
    assert recent.settle("u", "m") == ()
    assert recent.settle("u", "unknown") == ()
    assert recent.forget("u", "m") == ()
    assert recent.forget("u", "unknown") == ()


def test_a_settled_message_is_forgotten_after_the_window() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    note(recent, "u", "m", "a", 0)
    recent.settle("u", "m")
    assert note(recent, "u", "m", "a", 10) is Seen.SETTLED
    assert note(recent, "u", "m", "a", 10.1) is Seen.NEW


def test_a_running_message_outlives_the_window() -> None:
    recent: DedupWindow[str] = DedupWindow(10)
    note(recent, "u", "slow", "a", 0)
    note(recent, "u", "other", "b", 50)
    assert recent.settle("u", "slow") == ("a",)


@pytest.mark.parametrize("window", [0, 0.0])
def test_a_window_of_nothing_still_ends(window: float) -> None:
    recent: DedupWindow[str] = DedupWindow(window)
    note(recent, "u", "m", "a", 1)
    assert note(recent, "u", "m", "b", 1) is Seen.RUNNING
    assert note(recent, "u", "m", "c", 2) is Seen.RUNNING
    recent.settle("u", "m")
    assert note(recent, "u", "m", "d", 3) is Seen.NEW


def test_the_oldest_settled_message_gives_way_at_the_limit() -> None:
    recent: DedupWindow[str] = DedupWindow(1000, limit=2)
    for number in range(5):
        note(recent, "u", str(number), "a", 0)
        recent.settle("u", str(number))
    assert len(recent) == 2
    assert note(recent, "u", "4", "a", 0) is Seen.SETTLED
    assert note(recent, "u", "0", "a", 0) is Seen.NEW


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.booleans()), max_size=60))
def test_no_waiter_of_a_running_message_is_ever_lost(
    steps: list[tuple[int, int, bool]],
) -> None:
    recent: DedupWindow[int] = DedupWindow(3, limit=4)
    running: dict[str, list[int]] = {}
    now = 0.0
    for waiter, (message, wait, ends) in enumerate(steps):
        now += wait
        msg_id = str(message)
        if ends:
            assert list(recent.settle("u", msg_id)) == running.pop(msg_id, [])
            continue
        seen = note(recent, "u", msg_id, waiter, now)
        assert (seen is Seen.RUNNING) == (msg_id in running)
        if seen is not Seen.SETTLED:
            running.setdefault(msg_id, []).append(waiter)
        assert len(recent) <= len(running) + 4
