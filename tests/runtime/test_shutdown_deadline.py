"""The end of a process that does not end: when it comes."""

from __future__ import annotations

import threading

from maim_runtime.shutdown_deadline import LastResort

SECONDS = 20.0
NEVER = 3600.0


def test_it_acts_when_its_time_is_over() -> None:
    acted = threading.Event()
    LastResort(0.01, acted.set).start()
    assert acted.wait(SECONDS)


def test_another_time_counts_from_the_moment_it_is_given() -> None:
    acted = threading.Event()
    last_resort = LastResort(NEVER, acted.set)
    last_resort.start()
    last_resort.restart(0.01)
    assert acted.wait(SECONDS)


def test_another_time_before_the_start_changes_nothing() -> None:
    acted = threading.Event()
    last_resort = LastResort(0.01, acted.set)
    last_resort.restart(NEVER)
    assert not last_resort.started
    last_resort.start()
    assert acted.wait(SECONDS)
