"""Waits between attempts to attach."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_edge.bridge.backoff import Backoff


def test_waits_double_up_to_the_limit() -> None:
    backoff = Backoff(lambda: 1.0, base=0.1, limit=3.0)
    waits = [backoff.next() for _ in range(7)]
    assert waits == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0])


def test_a_success_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0, base=0.1)
    for _ in range(5):
        backoff.next()
    backoff.reset()
    assert backoff.next() == pytest.approx(0.1)


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50), st.floats(0.01, 100))
def test_no_wait_is_longer_than_the_limit(numbers: list[float], limit: float) -> None:
    source = iter(numbers)
    backoff = Backoff(lambda: next(source), limit=limit)
    assert all(0 <= backoff.next() <= limit for _ in numbers)


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(lambda: 0.5, limit=3.0)
    assert [backoff.next() for _ in range(2000)][-1] == 1.5
