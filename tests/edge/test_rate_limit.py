"""Rates and strikes of one connection; the clock is a number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_edge.rate_limit import BAD_FRAMES, Limits, Strikes, TokenBucket


def test_without_a_rate_everything_passes() -> None:
    bucket = TokenBucket(0, 0.0)
    assert all(bucket.take(10**12, 0.0) for _ in range(100))


def test_a_burst_of_one_second_passes_and_no_more() -> None:
    bucket = TokenBucket(10, 0.0)
    assert [bucket.take(1, 0.0) for _ in range(11)] == [True] * 10 + [False]
    assert bucket.take(1, 0.1)
    assert not bucket.take(1, 0.1)


def test_a_frame_larger_than_the_burst_passes_and_is_paid_for_later() -> None:
    bucket = TokenBucket(10, 0.0)
    assert bucket.take(50, 0.0)
    assert not bucket.take(1, 4.0)
    assert bucket.take(1, 4.2)


def test_a_rate_below_one_a_second_lets_messages_pass() -> None:
    bucket = TokenBucket(0.5, 0.0)
    assert [bucket.take(1, now) for now in (0.0, 1.0, 2.0, 3.0, 4.0)] == [
        True,
        False,
        True,
        False,
        True,
    ]


@given(
    rate=st.floats(0.5, 1000),
    events=st.lists(st.tuples(st.floats(0, 2), st.integers(1, 50)), max_size=100),
)
def test_no_more_than_rate_and_burst_ever_passes(
    rate: float, events: list[tuple[float, int]]
) -> None:
    bucket = TokenBucket(rate, 0.0)
    now = passed = 0.0
    for wait, units in events:
        now += wait
        if bucket.take(units, now):
            passed += units
    largest = max((units for _, units in events), default=0)
    assert passed <= rate * (now + 1) + largest + 1e-6


def test_the_twentieth_error_within_a_minute_is_one_too_many() -> None:
    strikes = Strikes()
    times = [index * 60 / (BAD_FRAMES - 1) for index in range(BAD_FRAMES)]
    assert [strikes.add(now) for now in times] == [False] * (BAD_FRAMES - 1) + [True]


def test_errors_spread_over_more_than_a_minute_are_forgiven() -> None:
    strikes = Strikes()
    assert not any(strikes.add(index * 3.2) for index in range(200))


def test_messages_and_bytes_are_both_counted() -> None:
    limits = Limits(2, 100, 0.0)
    assert limits.allow(10, 0.0)
    assert limits.allow(80, 0.0)
    assert not limits.allow(1, 0.0)


def test_an_acknowledgement_is_no_message_but_has_a_size() -> None:
    limits = Limits(1, 100, 0.0)
    assert all(limits.allow(10, 0.0, counts=False) for _ in range(10))
    assert not limits.allow(10, 0.0, counts=False)
    assert limits.allow(0, 0.0)
