"""The rows of the table, in its order."""

from __future__ import annotations

from benchmarks.rows import traffic
from benchmarks.rows.row import OURS, PEER, Metric, Row

__all__ = ["OURS", "PEER", "ROWS", "Metric", "Row"]

ROWS: dict[str, Row] = {row.name: row for row in (*traffic.ROWS,)}
