"""Median, spread, ratio, and the table of them."""

from __future__ import annotations

from benchmarks.report import table
from benchmarks.report.figures import Figure, ratio, shown
from benchmarks.rows import ROWS, Metric
from benchmarks.sample import Sample


def samples(*values: float, name: str = "us", **faults: int) -> list[Sample]:
    return [Sample({name: value}, {}, faults) for value in values]


def line(text: str, number: int = 0) -> list[str]:
    return [cell.strip() for cell in text.splitlines()[2 + number].strip("|").split("|")]


def test_a_figure_is_the_middle_and_the_spread() -> None:
    assert Figure.of([3.0, 1.0, 2.0]) == Figure(2.0, 1.0, 3.0)
    assert Figure.of([]) is None


def test_a_ratio_is_taken_round_by_round() -> None:
    assert ratio([100, 900, 50], [10, 30, 10]) == 10
    assert ratio([100], []) is None
    assert ratio([100], [0.0]) is None


def test_numbers_are_shown_with_the_digits_that_count() -> None:
    assert [shown(value) for value in (1234.5, 123.4, 12.34, 1.234)] == [
        "1,234",
        "123",
        "12.3",
        "1.23",
    ]


def test_a_goal_is_the_most_or_the_least() -> None:
    assert Metric("us", "µs", 45).reached(45)
    assert not Metric("us", "µs", 45).reached(46)
    assert Metric("per_second", "a second", 1500, more_is_better=True).reached(1501)
    assert Metric("us", "µs").reached(1) is None


def test_the_table_compares_the_pair_with_the_peer() -> None:
    results = {"routed16": {"peer": samples(1000, 1200, 1100), "pair": samples(40, 50, 44)}}
    assert line(table.table(results)) == [
        "routed, 50 connections, 16 in flight",
        "µs",
        "1,100 (1,000 to 1,200)",
        "44.0 (40.0 to 50.0)",
        "≤ 45.0",
        "yes",
        "25.0 (goal 25)",
    ]


def test_more_may_be_better() -> None:
    results = {
        "accept": {
            "peer": samples(100, name="per_second"),
            "pair": samples(450, name="per_second"),
        }
    }
    assert line(table.table(results))[-3:] == ["≥ 1,500", "**no**", "4.5 (goal 4)"]


def test_what_failed_leaves_a_gap() -> None:
    results = {"routed16": {"peer": [], "pair": samples(44)}}
    assert line(table.table(results))[2:4] == ["-", "44.0 (44.0 to 44.0)"]


def test_losses_are_named() -> None:
    results = {"routed16": {"pair": samples(44, 45, lost=2)}}
    assert table.faults(results) == ["NOT CLEAN: routed16, pair: 4 lost"]
    assert table.faults({"routed16": {"pair": samples(44)}}) == []


def test_every_row_has_its_name_once_and_a_title() -> None:
    assert all(name == row.name and row.title for name, row in ROWS.items())
