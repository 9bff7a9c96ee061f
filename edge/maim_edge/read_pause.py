"""Why nothing is read from a client for now: reading goes on when no reason is left."""

from __future__ import annotations

import enum

from maim_edge.websocket import DirectSocket


class Hold(enum.IntFlag):
    """A reason."""

    NO_ROOM = 1
    CHECKING = 2
    ENDING = 4


class Holds:
    """The reasons of one connection; its socket comes later than the first of them may."""

    __slots__ = ("_reasons", "_socket")

    def __init__(self) -> None:
        self._reasons = 0
        self._socket: DirectSocket | None = None

    def attach(self, socket: DirectSocket | None) -> None:
        """Hold this socket from now on; None: it has ended."""
        self._socket = socket

    def add(self, why: Hold) -> None:
        """Read no more."""
        if not self._reasons and self._socket is not None:
            self._socket.pause_reading()
        self._reasons |= why.value

    def lift(self, why: Hold) -> None:
        """Read again, unless there is another reason."""
        if self._reasons & why.value:
            self._reasons &= ~why.value
            if not self._reasons and self._socket is not None:
                self._socket.resume_reading()
