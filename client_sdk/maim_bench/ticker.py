"""Calls back at a moment, to the tenth of a millisecond where the system has timerfd (Linux).

The timers of event loops count whole milliseconds, and half of one is what an open loop measures.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1


class _Moment(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Moment), ("value", _Moment))


class Ticker:
    """One call at a time; moments are those of `time.monotonic`."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._fd = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK) if self._libc else -1
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._fired)

    def at(self, moment: float) -> None:
        """Call at this moment, or at once when it has passed."""
        if self._libc is None or self._fd < 0:
            self._loop.call_later(max(0.0, moment - time.monotonic()), self._call)
            return
        whole = int(moment)
        # Zero would disarm it.
        value = _Moment(whole, max(1, int((moment - whole) * 1e9)))
        timer = _Timer(_Moment(0, 0), value)
        self._libc.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(timer), None)

    def close(self) -> None:
        """Call no more."""
        self._call = _nothing
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._call()


def _nothing() -> None:
    pass
