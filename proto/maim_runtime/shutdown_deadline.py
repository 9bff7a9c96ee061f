"""What ends a process that does not end by itself; a thread, since a loop may be blocked."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


def cut_off() -> None:
    """End this process here and now, with exit code 0: it was told to end."""
    log.warning("something did not end in time: it is cut off")
    logging.shutdown()
    os._exit(0)


class ShutdownDeadline:
    """Cuts the process off `seconds` after `start`, unless it is cancelled before."""

    def __init__(self, seconds: float, act: Callable[[], None] = cut_off) -> None:
        self._seconds = seconds
        self._act = act
        self._timer: threading.Timer | None = None

    @property
    def started(self) -> bool:
        """Whether the time runs."""
        return self._timer is not None

    def start(self) -> None:
        """Let the time run; safe in a signal handler."""
        self._timer = threading.Timer(self._seconds, self._act)
        self._timer.daemon = True
        self._timer.start()

    def restart(self, seconds: float) -> None:
        """Give another time, from now on; nothing happens when none runs yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._seconds = seconds
            self.start()

    def cancel(self) -> None:
        """End the process in no case."""
        if self._timer is not None:
            self._timer.cancel()
