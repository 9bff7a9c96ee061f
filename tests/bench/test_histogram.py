"""Latencies in buckets."""

from __future__ import annotations

import json
import random

import pytest

from maim_bench.histogram import Histogram


def histogram(*seconds: float) -> Histogram:
    made = Histogram()
    made.add(seconds)
    return made


def test_an_empty_histogram_has_zeros() -> None:
    assert set(Histogram().summary_ms().values()) == {0.0}


@pytest.mark.parametrize("us", [0, 1, 127, 128, 255, 256, 1_000, 123_456, 60_000_000])
def test_one_value_is_every_percentile_exactly(us: int) -> None:
    made = histogram(us / 1e6)
    assert made.percentile_us(1) == made.percentile_us(99.9) == us


def test_percentiles_are_within_a_percent_of_the_sorted_values() -> None:
    rng = random.Random(1)  # noqa: S311 - no secret
    values = sorted(rng.expovariate(100) for _ in range(20_000))
    made = histogram(*values)
    for percent in (50.0, 90.0, 99.0, 99.9):
        exact = values[round(len(values) * percent / 100) - 1] * 1e6
        assert made.percentile_us(percent) == pytest.approx(exact, rel=0.01, abs=1)


def test_the_largest_value_is_kept_exactly() -> None:
    assert histogram(0.001, 1.234567, 0.002).summary_ms()["max"] == 1234.567


def test_a_latency_below_zero_counts_as_zero() -> None:
    assert histogram(-0.5).percentile_us(50) == 0


def test_merged_histograms_are_as_one() -> None:
    first, second = histogram(0.001, 0.005), histogram(0.2)
    first.merge(second)
    assert first.to_dict() == histogram(0.001, 0.005, 0.2).to_dict()
    assert first.total == 3


def test_it_goes_to_another_process_and_back() -> None:
    made = histogram(0.001, 0.005, 0.2)
    again = Histogram.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again.summary_ms() == made.summary_ms()
    assert again.total == made.total
