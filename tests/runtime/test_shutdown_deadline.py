"""The end of a process that does not end: when it comes."""

from __future__ import annotations

import threading

from maim_runtime.shutdown_deadline import ShutdownDeadline

SECONDS = 20.0
NEVER = 3600.0


def test_it_acts_when_its_time_is_over() -> None:
    acted = threading.Event()
    ShutdownDeadline(0.01, acted.set).start()
    assert acted.wait(SECONDS)


def test_another_time_counts_from_the_moment_it_is_given() -> None:
    acted = threading.Event()
    deadline = ShutdownDeadline(NEVER, acted.set)
    deadline.start()
    deadline.restart(0.01)
    assert acted.wait(SECONDS)


def test_another_time_before_the_start_changes_nothing() -> None:
    acted = threading.Event()
    deadline = ShutdownDeadline(0.01, acted.set)
    deadline.restart(NEVER)
    assert not deadline.started
    deadline.start()
    assert acted.wait(SECONDS)
