"""What an edge tells a router of itself beside messages: what is pending, that it drains. Pure."""

from __future__ import annotations

from maim_protocol.bridge import EdgeFrame, PendingBytes

# What the router hears of: more than the sockets' own buffers usually hold.
MUCH_BYTES = 64 * 1024
# Connections of one frame; the others wait for the next.
MOST_OF_A_FRAME = 1000


class EdgeStatus:
    """What the router has been told, and what it has yet to be; a new stream hears all of it."""

    def __init__(self) -> None:
        self._told: dict[int, PendingBytes] = {}
        self._owed: dict[int, PendingBytes] = {}
        self._draining = False
        self._owes_draining = False

    @property
    def owes(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._owed) or self._owes_draining

    def pending(self, conn: int, bytes: int, messages: int) -> bool:
        """Note what a connection has pending now; returns whether the router knows of some."""
        much = bytes > MUCH_BYTES
        now = PendingBytes(conn, bytes, messages) if much else PendingBytes(conn, 0, 0)
        if now == self._told.get(conn, PendingBytes(conn, 0, 0)):
            self._owed.pop(conn, None)
        else:
            self._owed[conn] = now
        return much or conn in self._told

    def forget(self, conn: int) -> None:
        """Note that a connection is gone; its close tells the router."""
        self._told.pop(conn, None)
        self._owed.pop(conn, None)

    def drains(self) -> None:
        """Note that the edge drains; it never stops doing so."""
        self._owes_draining = self._owes_draining or not self._draining
        self._draining = True

    def restart(self) -> None:
        """Begin a new stream: whoever reads it knows nothing."""
        self._owed = self._told | self._owed
        self._told = {}
        self._owes_draining = self._draining

    def fill(self, frame: EdgeFrame | None) -> EdgeFrame | None:
        """Put what the router is owed into a frame, a new one if there is none."""
        if not self.owes:
            return frame
        frame = frame or EdgeFrame()
        frame.draining, self._owes_draining = self._owes_draining, False
        frame.pending = [self._owed.pop(conn) for conn in list(self._owed)[:MOST_OF_A_FRAME]]
        for row in frame.pending:
            if row.bytes:
                self._told[row.conn] = row
            else:
                self._told.pop(row.conn, None)
        return frame
