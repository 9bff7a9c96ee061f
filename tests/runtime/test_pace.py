"""When the next frame of a bridge stream may leave."""

from __future__ import annotations

import pytest

from maim_protocol.bridge import AT_ONCE, GRPC_PACE, Pace
from maim_runtime.pump import WritePacer

BUSY = Pace(0.001, above=3_000.0)


def waits_after(
    pacer: WritePacer, per_second: float, seconds: float, start: float = 100.0
) -> float:
    """Let things come at a rate, one write each; returns what the last write made the next wait."""
    now = start
    due = now
    for number in range(int(per_second * seconds)):
        now = start + number / per_second
        pacer.came += 1
        due = pacer.next_write(now)
    return due - now


def test_where_little_comes_nothing_waits() -> None:
    assert waits_after(WritePacer(BUSY), 2_000.0, 0.1) == 0.0


def test_where_much_comes_writes_are_a_pace_apart() -> None:
    assert waits_after(WritePacer(BUSY), 4_000.0, 0.1) == pytest.approx(0.001)


def test_a_burst_after_silence_leaves_at_once() -> None:
    pacer = WritePacer(BUSY)
    assert waits_after(pacer, 100_000.0, 0.0001) == 0.0


def test_it_leaves_at_once_again_when_the_rush_is_over() -> None:
    pacer = WritePacer(BUSY)
    assert waits_after(pacer, 20_000.0, 0.1) > 0.0
    assert waits_after(pacer, 100.0, 0.1, start=101.0) == 0.0


def test_without_a_threshold_the_pace_always_holds() -> None:
    assert waits_after(WritePacer(GRPC_PACE), 10.0, 1.0) == pytest.approx(0.001)
    assert WritePacer(GRPC_PACE).next_write(0.0) == pytest.approx(0.001)


def test_without_a_pace_nothing_ever_waits() -> None:
    assert waits_after(WritePacer(AT_ONCE), 100_000.0, 0.1) == 0.0
