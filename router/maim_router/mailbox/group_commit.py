"""Group commit: what gathers while the disk is busy goes to it in one write.

Used from one event loop; the disk has a thread of its own, the only one that writes. An event loop
that is never idle lets go of the interpreter's lock so briefly that another thread may miss it for
seconds: while a write takes long, the loop makes room for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from maim_router.mailbox.interface import OnStored
from maim_router.mailbox.letter import Letter, Place
from maim_router.mailbox.sqlite_store import Written

# Seconds of a write before the loop makes room for it, between two such times, and how long one is.
SLOW_WRITE_SECONDS = 0.005
YIELD_INTERVAL_SECONDS = 0.001
YIELD_SECONDS = 0.00005


class Waiting(msgspec.Struct, eq=False):
    """A letter that is not stored yet, and who waits for that."""

    letter: Letter
    waiters: list[OnStored]
    # Nobody wants it any more: as safe as can be.
    gone: bool = False


class GroupCommit:
    """Letters and removals on their way to the disk; a removal comes before a later letter.

    It is bounded by whoever puts letters, since it keeps no more than was put.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Place], Sequence[Letter]], Written],
        on_written: Callable[[Waiting, bool], None],
        on_result: Callable[[Exception | None], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._write = write
        self._on_written = on_written
        self._on_result = on_result
        self._sleep = sleep
        self._thread = ThreadPoolExecutor(1, "maim-mailbox")
        self._letters: list[Waiting] = []
        self._removals: dict[Place, None] = {}
        self._running: asyncio.Future[Written] | None = None
        self._yield_timer: asyncio.TimerHandle | None = None
        self._called = False
        self._closed = False
        self._trying = False

    def put(self, waiting: Waiting) -> None:
        """Store a letter soon; `on_written` hears of it."""
        self._letters.append(waiting)
        self.flush_soon()

    def remove(self, places: Iterable[Place]) -> None:
        """Remove letters soon, stored or gathered ones."""
        self._removals.update(dict.fromkeys(places))
        self.flush_soon()

    def try_disk(self) -> None:
        """Find out soon whether the disk takes anything."""
        self._trying = True
        self.flush_soon()

    def flush_soon(self) -> None:
        """Write at the end of this turn what has gathered, removals that failed included."""
        if not self._called and not self._closed and self._running is None:
            self._called = True
            asyncio.get_running_loop().call_soon(self._start)

    async def close(self) -> None:
        """Write everything and end the thread; safe to cancel and to call again."""
        self._start()
        while (running := self._running) is not None:
            await asyncio.wait([running])
        self._closed = True
        self._thread.shutdown(wait=False)

    def _start(self) -> None:
        self._called = False
        if self._closed or self._running is not None:
            return
        if not (self._letters or self._removals or self._trying):
            return
        self._trying = False
        wanted = [waiting for waiting in self._letters if not waiting.gone]
        gone = [waiting for waiting in self._letters if waiting.gone]
        removals = self._removals
        self._letters, self._removals = [], {}
        letters = [waiting.letter for waiting in wanted]
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(self._thread, self._write, list(removals), letters)
        self._running.add_done_callback(partial(self._end, wanted, gone, removals))
        self._yield_timer = loop.call_later(SLOW_WRITE_SECONDS, self._yield_interpreter)

    def _yield_interpreter(self) -> None:
        self._sleep(YIELD_SECONDS)
        self._yield_timer = asyncio.get_running_loop().call_later(
            YIELD_INTERVAL_SECONDS, self._yield_interpreter
        )

    def _end(
        self,
        wanted: list[Waiting],
        gone: list[Waiting],
        removals: dict[Place, None],
        running: asyncio.Future[Written],
    ) -> None:
        self._running = None
        if self._yield_timer is not None:
            self._yield_timer.cancel()
        written = running.result()
        if not written.removed:
            self._removals = removals | self._removals
        self._on_result(written.error)
        for waiting, stored in zip(wanted, written.stored, strict=True):
            self._on_written(waiting, stored or waiting.gone)
        for waiting in gone:
            self._on_written(waiting, True)
        # Removals alone wait for somebody to go on: the disk has just refused them.
        if self._letters or written.removed:
            self._start()
