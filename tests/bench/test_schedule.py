"""When the messages of an open loop are due."""

from __future__ import annotations

import random

import pytest

from maim_bench.schedule import Schedule, offsets


def seeded(number: int) -> random.Random:
    return random.Random(number)  # noqa: S311 - no secret


def test_even_arrivals_are_equally_far_apart() -> None:
    assert offsets(4, 5, "even", seeded(1)) == [0, 0.25, 0.5, 0.75, 1.0]


def test_random_arrivals_have_the_rate_and_are_the_same_for_a_seed() -> None:
    made = offsets(1000, 20_000, "poisson", seeded(7))
    assert made == offsets(1000, 20_000, "poisson", seeded(7))
    assert made == sorted(made)
    assert made[-1] == pytest.approx(20, rel=0.05)


def test_what_is_due_is_taken_once() -> None:
    schedule = Schedule([0.0, 0.5], 1.0, began=100.0)
    assert schedule.due(99.9) == []
    assert schedule.due(100.0) == [100.0]
    assert schedule.due(100.4) == []
    assert schedule.next == 100.5


def test_a_late_clock_takes_all_that_was_missed_at_the_moments_it_was_due() -> None:
    schedule = Schedule([0.0, 0.5], 1.0, began=100.0)
    assert schedule.due(102.6) == [100.0, 100.5, 101.0, 101.5, 102.0, 102.5]


def test_it_repeats_for_ever() -> None:
    schedule = Schedule([0.0, 0.25], 1.0, began=0.0)
    schedule.due(9.5)
    assert schedule.next == 10.0
