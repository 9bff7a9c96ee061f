"""The rows of the table, in its order."""

from __future__ import annotations

from benchmarks.rows import broadcast, growth, handler, idle, sdk, slow, traffic
from benchmarks.rows.row import OURS, PEER, Metric, Row

__all__ = ["OURS", "PEER", "ROWS", "Metric", "Row"]

TABLE = (
    *traffic.ROWS,
    *broadcast.ROWS,
    *handler.ROWS,
    *idle.ROWS,
    *growth.ROWS,
    *slow.ROWS,
    *sdk.ROWS,
)

ROWS: dict[str, Row] = {row.name: row for row in TABLE}
