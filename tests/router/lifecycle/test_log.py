"""The log of comings and goings: numbers without gaps, within its bounds."""

from __future__ import annotations

import pytest

from maim_router.lifecycle.log import (
    ConnectionView,
    Kind,
    LifecycleEvent,
    LifecycleLog,
    LogGap,
    size_of,
)
from tests.router.builders import session


def event(at: float = 0.0, reason: str = "") -> LifecycleEvent:
    """Somebody came."""
    return LifecycleEvent(Kind.CONNECTED, ConnectionView.of(session()), at, reason=reason)


def log_of(count: int, **bounds: int) -> LifecycleLog:
    """A log with events whose time is their number."""
    log = LifecycleLog("run-1", **bounds)
    for number in range(1, count + 1):
        log.append(event(float(number)))
    return log


def times(log: LifecycleLog, seq: int, most: int = 100) -> list[float]:
    return [one.time for one in log.read(seq, most)]


def problem(log: LifecycleLog, from_seq: int, log_id: str = "") -> str:
    with pytest.raises(LogGap) as caught:
        log.start(from_seq, log_id)
    return caught.value.reason


def test_events_are_numbered_from_1_and_read_from_any_number_on() -> None:
    log = log_of(5)
    assert (log.oldest, log.next) == (1, 6)
    assert times(log, 1) == [1, 2, 3, 4, 5]
    assert times(log, 4) == [4, 5]
    assert times(log, 2, most=2) == [2, 3]
    assert times(log, 6) == []


def test_who_names_no_number_starts_with_the_next_event() -> None:
    assert LifecycleLog("run-1").start(0) == 1
    assert log_of(5).start(0) == 6
    assert log_of(5).start(0, "run-1") == 6


def test_who_names_a_number_starts_there_up_to_the_next_one() -> None:
    log = log_of(5)
    assert [log.start(number) for number in (1, 5, 6)] == [1, 5, 6]
    assert problem(log, 7) == "FROM_SEQ_TOO_NEW"


def test_the_numbers_of_another_run_are_none_of_this_one() -> None:
    assert problem(log_of(5), 3, "run-0") == "LOG_ID_DIFFERS"
    assert problem(log_of(5), 0, "run-0") == "LOG_ID_DIFFERS"


def test_the_oldest_events_give_way_and_their_numbers_are_known_to_be_gone() -> None:
    log = log_of(5, max_events=3)
    assert (log.oldest, log.next) == (3, 6)
    assert times(log, 3) == [3, 4, 5]
    assert problem(log, 2) == "FROM_SEQ_TOO_OLD"
    with pytest.raises(LogGap) as caught:
        log.read(2, 1)
    assert caught.value.reason == "WATCHER_TOO_SLOW"


def test_bytes_bound_the_log_as_well() -> None:
    log = log_of(5, max_bytes=3 * size_of(event()))
    assert times(log, log.oldest) == [3, 4, 5]
    log.append(event(6.0, reason="x" * (size_of(event()) // 2)))
    assert times(log, log.oldest) == [5, 6]


def test_an_event_larger_than_the_log_leaves_it_empty_and_keeps_the_numbers() -> None:
    log = LifecycleLog("run-1", max_bytes=10)
    log.append(event())
    assert (log.oldest, log.next, log.start(0)) == (2, 2, 2)


def test_what_is_shown_of_a_connection_holds_no_credential() -> None:
    one = session()
    one.open = type(one.open)(1, "s3cret", "qq", headers=(("x-key", "s3cret"),))
    assert "s3cret" not in repr(ConnectionView.of(one))
