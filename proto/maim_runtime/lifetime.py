"""The life of a service process: an event loop, and signals that ask it to end."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from maim_runtime.shutdown_deadline import ShutdownDeadline

Main = Callable[[asyncio.Event], Coroutine[Any, Any, int]]

# Whatever an application's threads and handlers do, a process ends in this time after a signal.
END_SECONDS = 4.5
SIGNALS = [signal.SIGINT, signal.SIGTERM]
if sys.platform == "win32":
    SIGNALS.append(signal.SIGBREAK)


def run(main: Main, end_seconds: float = END_SECONDS) -> int:
    """Run `main` with an event that SIGTERM, SIGINT or Ctrl-Break sets; returns its exit code.

    uvloop carries it where it is installed. The process may hold as many sockets as the system
    lets it. What has not ended `end_seconds` after the signal is cut off, with exit code 0.
    """
    return run_until(main, ShutdownDeadline(end_seconds))


def run_until(main: Main, deadline: ShutdownDeadline) -> int:
    """Run as `run` does, with a last resort that `main` may give another time."""
    _raise_open_files()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_with_signals(main, deadline))
    deadline.cancel()
    return code


async def _with_signals(main: Main, deadline: ShutdownDeadline) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(*_: object) -> None:
        # Not through the loop: a callback that blocks it would hold up the last resort too.
        if not deadline.started:
            deadline.start()
            loop.call_soon_threadsafe(stop.set)

    for number in SIGNALS:
        signal.signal(number, told)
    return await main(stop)


def _raise_open_files() -> None:
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS says that there is no limit and then refuses it.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
