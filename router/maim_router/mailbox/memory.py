"""The mailbox of one router process: what waits is lost with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from maim_router.mailbox.index import Index
from maim_router.mailbox.interface import Bounds, OnStored
from maim_router.mailbox.letter import BoxKey, Letter, Place


class MemoryMailbox:
    """A `Mailbox` in dictionaries; a letter is as safe as it gets before `put` returns."""

    failure: str | None = None

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._index = Index()
        self._letters: dict[Place, Letter] = {}
        self._closed = False

    def put(self, letter: Letter, on_stored: OnStored, *, acknowledged: bool = False) -> None:
        """Take a letter, and say at once whether there was room."""
        on_stored(not self._closed and self._take(letter, acknowledged))

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
        found = (self._letters.get((user_id, platform, number)) for number in numbers)
        return [letter for letter in found if letter is not None]

    def remove(self, user_id: str, platform: str, numbers: Iterable[int]) -> None:
        """Remove letters; unknown numbers mean nothing."""
        for number in numbers:
            if self._index.remove((user_id, platform), number):
                del self._letters[user_id, platform, number]

    def expire(self, now: float, most: int = 1000) -> list[tuple[str, str, int, str]]:
        """Remove overdue letters, `most` at most: user, platform, number and msg_id of each."""
        places = self._index.expire(now, most)
        return [(*place, self._letters.pop(place).msg_id) for place in places]

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
        """Refuse what comes later."""
        self._closed = True

    def _take(self, letter: Letter, acknowledged: bool) -> bool:
        key = (letter.user_id, letter.platform)
        size = len(letter.payload)
        if self._index.holds(key, letter.number):
            return True
        if not acknowledged and not self._index.fits(key, size, self._bounds):
            return False
        self._index.add(key, letter.number, size, letter.expires_at)
        self._letters[*key, letter.number] = letter
        return True
