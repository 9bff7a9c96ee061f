from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.backoff import Backoff


@given(
    st.integers(0, 200),
    st.floats(0, 1, exclude_max=True),
    st.floats(0.01, 10),
    st.floats(0.01, 100),
)
def test_a_delay_is_never_negative_and_never_over_the_cap(
    failures: int, drawn: float, base: float, cap: float
) -> None:
    backoff = Backoff(base, cap, lambda: drawn, failures)
    assert 0 <= backoff.next_delay() <= cap


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    backoff = Backoff(1.0, 5.0, lambda: 1.0)
    assert [backoff.next_delay() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]


def test_the_jitter_is_full() -> None:
    assert Backoff(1.0, 30.0, lambda: 0.0, failures=9).next_delay() == 0.0


def test_what_the_server_asked_for_is_waited_in_full_and_the_jitter_comes_on_top() -> None:
    assert Backoff(1.0, 30.0, lambda: 0.5).next_delay(at_least_seconds=7.0) == 7.5


def test_a_link_that_lasted_starts_over() -> None:
    backoff = Backoff(1.0, 8.0, lambda: 1.0, failures=3)
    backoff.link_lasted(8.0)
    assert backoff.next_delay() == 1.0


def test_a_link_that_broke_at_once_counts_as_a_failure() -> None:
    backoff = Backoff(1.0, 8.0, lambda: 1.0, failures=3)
    backoff.link_lasted(0.1)
    assert backoff.next_delay() == 8.0


def test_a_success_starts_over() -> None:
    backoff = Backoff(0.1, 3.0, lambda: 1.0, failures=5)
    backoff.reset()
    assert backoff.next_delay() == 0.1


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = Backoff(0.1, 3.0, lambda: 0.5)
    assert [backoff.next_delay() for _ in range(2000)][-1] == 1.5
