"""One write at a time, and everything that came during it goes in the next one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

from maim_router.mailbox import Letter
from maim_router.mailbox.group_commit import SLOW_WRITE_SECONDS, YIELD_SECONDS, GroupCommit, Waiting
from maim_router.mailbox.letter import Place
from maim_router.mailbox.sqlite_store import Written
from tests.router.mailbox.contract import letter


class Slow:
    """A disk that writes only when it is told to, and remembers what."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.works = True
        self.writes: list[tuple[list[int], list[int]]] = []
        self.begun = asyncio.Event()
        self.heard: list[tuple[int, bool]] = []
        self.failed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.rooms: asyncio.Queue[float] = asyncio.Queue()
        self.commits = GroupCommit(
            self._write, self._hear, lambda _: self.failed.set(), self.rooms.put_nowait
        )

    def put(self, number: int) -> Waiting:
        """Put a letter."""
        waiting = Waiting(letter(number), [])
        self.commits.put(waiting)
        return waiting

    def remove(self, number: int) -> None:
        """Remove a letter."""
        self.commits.remove([("u", "qq", number)])

    def _hear(self, waiting: Waiting, stored: bool) -> None:
        self.heard.append((waiting.letter.number, stored))

    def _write(self, removals: Sequence[Place], letters: Sequence[Letter]) -> Written:
        self._loop.call_soon_threadsafe(self.begun.set)
        self.go.acquire()
        self.writes.append(([place[2] for place in removals], [one.number for one in letters]))
        error = None if self.works else OSError("failed")
        return Written([self.works] * len(letters), self.works, error)


async def test_one_turn_is_one_write_and_what_comes_during_it_is_the_next() -> None:
    slow = Slow()
    for number in range(3):
        slow.put(number)
    await slow.begun.wait()
    for number in range(3, 100):
        slow.put(number)
    slow.remove(1)
    slow.go.release(2)
    await slow.commits.close()
    assert slow.writes == [([], [0, 1, 2]), ([1], list(range(3, 100)))]
    assert slow.heard == [(number, True) for number in range(100)]


async def test_a_letter_that_nobody_wants_any_more_is_not_written() -> None:
    slow = Slow()
    slow.put(1).gone = True
    slow.put(2)
    slow.go.release()
    await slow.commits.close()
    assert slow.writes == [([], [2])]
    assert sorted(slow.heard) == [(1, True), (2, True)]


async def test_removals_that_failed_wait_until_somebody_goes_on_and_go_first() -> None:
    slow = Slow()
    slow.works = False
    slow.remove(1)
    slow.go.release()
    await slow.failed.wait()
    slow.works = True
    slow.remove(2)
    slow.put(3)
    slow.go.release()
    await slow.commits.close()
    assert slow.writes == [([1], []), ([1, 2], [3])]


async def test_a_removal_that_came_during_a_write_needs_nobody_to_go_on() -> None:
    slow = Slow()
    slow.put(1)
    await slow.begun.wait()
    slow.remove(2)
    slow.begun.clear()
    slow.go.release()
    await slow.begun.wait()
    slow.go.release()
    await slow.commits.close()
    assert slow.writes == [([], [1]), ([2], [])]


async def test_a_failed_write_does_not_hold_up_the_letters_that_came_during_it() -> None:
    slow = Slow()
    slow.works = False
    slow.put(1)
    await slow.begun.wait()
    slow.put(2)
    slow.go.release()
    await slow.failed.wait()
    slow.works = True
    slow.go.release()
    await slow.commits.close()
    assert slow.writes == [([], [1]), ([], [2])]
    assert slow.heard == [(1, False), (2, True)]


async def test_closing_tries_failed_removals_once_more_and_then_gives_up() -> None:
    slow = Slow()
    slow.works = False
    slow.remove(1)
    slow.go.release(2)
    await slow.failed.wait()
    await slow.commits.close()
    assert slow.writes == [([1], [])] * 2


async def test_the_loop_makes_room_again_and_again_for_a_long_write_and_then_no_more() -> None:
    slow = Slow()
    slow.put(1)
    assert [await slow.rooms.get() for _ in range(3)] == [YIELD_SECONDS] * 3
    slow.go.release()
    await slow.commits.close()
    made = slow.rooms.qsize()
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(5 * SLOW_WRITE_SECONDS, over.set)
    await over.wait()
    assert slow.rooms.qsize() == made


async def test_closing_again_or_using_it_afterwards_does_nothing() -> None:
    slow = Slow()
    await slow.commits.close()
    slow.remove(1)
    await slow.commits.close()
    assert slow.writes == []
