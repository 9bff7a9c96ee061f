"""Why nothing is read from a client for now: reading goes on when no reason is left."""

from __future__ import annotations

import enum

from maim_edge.websocket import DirectSocket


class PauseReason(enum.IntFlag):
    """A reason."""

    BACKPRESSURE = 1
    VALIDATING = 2
    CLOSING = 4


class ReadPause:
    """The reasons of one connection; its socket comes later than the first of them may."""

    __slots__ = ("_reasons", "_socket")

    def __init__(self) -> None:
        self._reasons = 0
        self._socket: DirectSocket | None = None

    def attach(self, socket: DirectSocket | None) -> None:
        """Pause this socket from now on; None: it has ended."""
        self._socket = socket

    def pause(self, why: PauseReason) -> None:
        """Read no more."""
        if not self._reasons and self._socket is not None:
            self._socket.pause_reading()
        self._reasons |= why.value

    def resume(self, why: PauseReason) -> None:
        """Read again, unless there is another reason."""
        if self._reasons & why.value:
            self._reasons &= ~why.value
            if not self._reasons and self._socket is not None:
                self._socket.resume_reading()
