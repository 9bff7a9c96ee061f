"""Who leaves a draining edge when, and comes back when."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from maim_edge.drain import CLOSING, plan


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a test repeats what it draws


@given(st.integers(0, 500), st.floats(0, 600), st.integers())
def test_everybody_leaves_once_before_its_time_to_come_back(
    count: int, window: float, seed: int
) -> None:
    batches = plan(list(range(count)), window, chance(seed))
    left = [client for batch in batches for client, _ in batch.leaving]
    assert sorted(left) == list(range(count))
    for index, batch in enumerate(batches):
        assert 0 <= batch.after_seconds <= window * CLOSING
        for _, retry_after_ms in batch.leaving:
            assert 0 <= retry_after_ms <= 1000 * window
            assert index == 0 or retry_after_ms >= int(1000 * batch.after_seconds)


@given(st.integers(10, 2000), st.integers())
def test_the_times_to_come_back_are_spread_evenly(count: int, seed: int) -> None:
    batches = plan(list(range(count)), 10.0, chance(seed))
    times = sorted(retry for batch in batches for _, retry in batch.leaving)
    for decile in range(10):
        within = sum(1000 * decile <= time < 1000 * (decile + 1) for time in times)
        assert abs(within - count / 10) <= 2


def test_batches_follow_each_other_evenly() -> None:
    batches = plan(list(range(2000)), 3.0, chance(1))
    assert [len(batch.leaving) for batch in batches] == [100] * 20
    assert [round(batch.after_seconds, 3) for batch in batches[:3]] == [0, 0.1, 0.2]


def test_the_order_is_not_that_of_arrival() -> None:
    batches = plan(list(range(100)), 3.0, chance(1))
    assert [client for batch in batches for client, _ in batch.leaving] != list(range(100))


def test_without_a_window_all_leave_at_once() -> None:
    (batch,) = plan([1, 2, 3], 0.0, chance(1))
    assert batch.after_seconds == 0
    assert sorted(batch.leaving) == [(1, 0), (2, 0), (3, 0)]
