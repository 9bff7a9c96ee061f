"""What an edge tells of itself: whether it drains, and what its clients have yet to take. Pure."""

from __future__ import annotations

from maim_protocol.bridge import EdgeFrame


class EdgeStatus:
    """As the edge told it last; `pending` has bytes by handle, of those that have much."""

    __slots__ = ("draining", "pending")

    def __init__(self) -> None:
        self.draining = False
        self.pending: dict[int, int] = {}

    def hear(self, frame: EdgeFrame) -> None:
        """Take in what a frame says of it."""
        if frame.draining:
            self.draining = True
        if self.pending:
            for closed in frame.closes:
                self.pending.pop(closed.conn, None)
        for row in frame.pending:
            if row.bytes:
                self.pending[row.conn] = row.bytes
            else:
                self.pending.pop(row.conn, None)
