"""Whether memory is flat."""

from __future__ import annotations

import pytest

from benchmarks.soak import MEGABYTE, is_flat, slope_mb_a_minute


def grows(mb_a_minute: float) -> list[tuple[float, int]]:
    return [(s, round((100 + mb_a_minute * s / 60) * MEGABYTE)) for s in range(0, 600, 5)]


def test_the_slope_is_that_of_the_line_through_all_samples() -> None:
    assert slope_mb_a_minute(grows(3)) == pytest.approx(3, rel=0.01)
    assert slope_mb_a_minute(grows(3)[:1]) == 0


def test_memory_that_grows_is_not_flat() -> None:
    assert not is_flat(grows(1))


def test_a_little_noise_is_flat() -> None:
    assert is_flat([(s, size + s % 2 * MEGABYTE) for s, size in grows(0)])
    assert is_flat(grows(-1))
