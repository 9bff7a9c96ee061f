"""The mailbox in a file: what it said is stored survives the router.

The index of all letters is in memory, the letters are on the disk; one that is on its way there is
kept until it has arrived.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from maim_protocol.errors import ConfigError
from maim_router.mailbox.group_commit import GroupCommit, Waiting
from maim_router.mailbox.index import Index
from maim_router.mailbox.interface import Bounds, OnStored
from maim_router.mailbox.letter import BoxKey, Letter, Place
from maim_router.mailbox.sqlite_store import Disk

log = logging.getLogger(__name__)

# What is wrong with what was to be stored, and not with the disk.
_OF_A_LETTER = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
# Seconds between two lines of the log about a disk that fails.
LOG_INTERVAL_SECONDS = 60.0


class FileMailbox:
    """A `Mailbox` in an SQLite file, which it alone has open."""

    def __init__(
        self, path: str | Path, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open or make the file; raises `ConfigError` that names it."""
        self._path = Path(path)
        self._bounds = bounds
        self._clock = clock
        self._quiet_until = -LOG_INTERVAL_SECONDS
        self._closed = False
        self._disk = Disk(self._path)
        self._index = _load(self._path, self._disk)
        self._waiting: dict[Place, Waiting] = {}
        self._commits = GroupCommit(self._disk.write, self._written, self._on_result)
        self.failure: str | None = None
        if self._disk.found is not None:
            log.warning("%s: %s; %d letters", self._path, self._disk.found, self._index.messages)

    def put(self, letter: Letter, on_stored: OnStored, *, acknowledged: bool = False) -> None:
        """Take a letter; `on_stored` hears when it is on the disk, or that it is not."""
        key, size = (letter.user_id, letter.platform), len(letter.payload)
        if (waiting := self._waiting.get((*key, letter.number))) is not None:
            waiting.waiters.append(on_stored)
        elif self._index.holds(key, letter.number):
            on_stored(True)
        elif not self._closed and (acknowledged or self._index.fits(key, size, self._bounds)):
            self._index.add(key, letter.number, size, letter.expires_at)
            waiting = self._waiting[*key, letter.number] = Waiting(letter, [on_stored])
            self._commits.put(waiting)
        else:
            on_stored(False)

    def has(self, user_id: str, platform: str) -> bool:
        """Whether this box has letters."""
        return self._index.has((user_id, platform))

    def boxes(self) -> Iterable[BoxKey]:
        """List the boxes that have letters."""
        return self._index.boxes()

    def numbers(self, user_id: str, platform: str) -> Sequence[int]:
        """List the letters of a box, ascending."""
        return self._index.numbers((user_id, platform))

    def read(self, user_id: str, platform: str, numbers: Sequence[int]) -> list[Letter]:
        """Read letters in the order of `numbers`; those that are not there are left out."""
        found = (self._read((user_id, platform, number)) for number in numbers)
        return [letter for letter in found if letter is not None]

    def remove(self, user_id: str, platform: str, numbers: Iterable[int]) -> None:
        """Remove letters; unknown numbers mean nothing."""
        key = (user_id, platform)
        self._forget([(*key, n) for n in numbers if self._index.remove(key, n)])

    def expire(self, now: float, most: int = 1000) -> list[tuple[str, str, int, str]]:
        """Remove overdue letters, `most` at most: user, platform, number and msg_id of each."""
        if self.failure is not None:
            self._commits.try_disk()
        places = self._index.expire(now, most)
        gone = [(*place, self._msg_id(place)) for place in places]
        self._forget(places)
        return gone

    def usage(self, user_id: str, platform: str) -> tuple[int, int]:
        """Tell how many letters and bytes a box has."""
        return self._index.usage((user_id, platform))

    @property
    def messages(self) -> int:
        """Letters in all boxes."""
        return self._index.messages

    @property
    def bytes(self) -> int:
        """Bytes in all boxes."""
        return self._index.bytes

    async def close(self) -> None:
        """Store what was put before and let go of the file; later letters are refused."""
        self._closed = True
        await self._commits.close()
        await asyncio.to_thread(self._disk.close)

    def _read(self, place: Place) -> Letter | None:
        if (waiting := self._waiting.get(place)) is not None:
            return waiting.letter
        if not self._index.holds(place[:2], place[2]):
            return None
        try:
            return self._disk.read(place)
        except sqlite3.Error as error:
            self._log_failure(error)
            return None

    def _msg_id(self, place: Place) -> str:
        if (waiting := self._waiting.get(place)) is not None:
            return waiting.letter.msg_id
        try:
            return self._disk.msg_id(place)
        except sqlite3.Error as error:
            self._log_failure(error)
            return ""

    def _forget(self, places: Sequence[Place]) -> None:
        """Remove from the disk what has left the index, and what failed to be removed before."""
        for place in places:
            if (waiting := self._waiting.pop(place, None)) is not None:
                waiting.gone = True
        self._commits.remove(places)

    def _written(self, waiting: Waiting, stored: bool) -> None:
        letter = waiting.letter
        if not waiting.gone:
            del self._waiting[letter.user_id, letter.platform, letter.number]
            if not stored:
                self._index.remove((letter.user_id, letter.platform), letter.number)
        # Each in a turn of its own, so that one that raises harms no other.
        for on_stored in waiting.waiters:
            asyncio.get_running_loop().call_soon(on_stored, stored)

    def _on_result(self, error: Exception | None) -> None:
        if error is not None:
            self._log_failure(error)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _OF_A_LETTER):
            self.failure = f"the disk of the mailbox fails: {error}"
        elif error is None and self.failure is not None:
            self.failure = None
            log.info("%s: the disk takes letters again", self._path)

    def _log_failure(self, error: Exception) -> None:
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + LOG_INTERVAL_SECONDS
            log.error("%s: the disk failed a mailbox: %s", self._path, error)


def _load(path: Path, disk: Disk) -> Index:
    index = Index()
    try:
        for user_id, platform, number, size, expires_at in disk.load():
            # A commit that failed at its very end may have left a letter that came again.
            if not index.holds((user_id, platform), number):
                index.add((user_id, platform), number, size, expires_at)
    except sqlite3.Error as error:
        disk.close()
        raise ConfigError(f"{path}: cannot read the mailbox ({error})") from None
    return index
