"""Median, spread and ratio of what rounds measured; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """The middle of some values, and the least and the most of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure | None:
        """Sum up values; None when there are none."""
        return cls(median(values), min(values), max(values)) if values else None


def ratio(more: Sequence[float], less: Sequence[float]) -> float | None:
    """How many times the one the other is, round by round, the middle of it.

    Values of one round were measured one after the other, so the machine was much the same.
    """
    pairs = [(a, b) for a, b in zip(more, less, strict=False) if b]
    return median(a / b for a, b in pairs) if pairs else None


def shown(value: float) -> str:
    """Write a value with three digits that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
