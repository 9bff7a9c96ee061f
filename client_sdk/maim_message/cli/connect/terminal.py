"""Lines that somebody types or pipes in, read aside so that the event loop goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

HISTORY_FILE = Path("~/.maim_history")
HISTORY_LINES = 1000
PROMPT = "> "
# A pipe is read no further ahead than this.
MAX_WAITING_LINES = 100


def is_interactive() -> bool:
    """Whether somebody sits there: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


async def lines(*, interactive: bool) -> AsyncIterator[str]:
    """Yield line after line until the input ends."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    places = threading.Semaphore(MAX_WAITING_LINES)

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            for line in _typed() if interactive else sys.stdin:
                places.acquire()
                loop.call_soon_threadsafe(queue.put_nowait, line.rstrip("\r\n"))
            loop.call_soon_threadsafe(queue.put_nowait, None)

    # A daemon: a read from a terminal cannot be cancelled, and must not hold up the exit.
    threading.Thread(target=read, name="maim-input", daemon=True).start()
    while (line := await queue.get()) is not None:
        places.release()
        yield line


@contextlib.contextmanager
def history() -> Iterator[None]:
    """Keep a history of typed lines in the home folder, and the terminal as it was."""
    readline = _readline()
    path = HISTORY_FILE.expanduser()
    if readline is not None:
        readline.set_history_length(HISTORY_LINES)
        with contextlib.suppress(OSError):
            readline.read_history_file(path)
    restore = _terminal_state()
    try:
        yield
    finally:
        restore()
        if readline is not None:
            with contextlib.suppress(OSError):
                readline.write_history_file(path)
                path.chmod(0o600)


def typed_so_far() -> str:
    """Return the unfinished line, to show it again below a message."""
    readline = _readline()
    return str(readline.get_line_buffer()) if readline is not None else ""


def _typed() -> Iterator[str]:
    while True:
        try:
            yield input(PROMPT)
        except EOFError:
            return


def _readline() -> Any:
    """Windows has none."""
    try:
        import readline
    except ImportError:
        return None
    return readline


def _terminal_state() -> Any:
    """Return what undoes readline's changes when the process ends in the middle of a line."""
    try:
        import termios

        before = termios.tcgetattr(sys.stdin)
    except (ImportError, OSError, ValueError):
        return lambda: None
    return lambda: termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
