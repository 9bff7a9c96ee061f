"""The interface of every mailbox; one contract suite holds for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from maim_router.mailbox.letter import BoxKey, Letter

# Told whether a letter is safe now.
OnStored = Callable[[bool], None]


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """How much a mailbox takes; only the payloads are counted in bytes."""

    # Most letters in one box.
    messages: int
    # Most bytes in one box.
    bytes: int
    # Most bytes in all boxes.
    total_bytes: int


class Mailbox(Protocol):
    """Boxes of letters, one for each user and platform that has any.

    Used from one event loop. What was put is seen at once, stored or not; a box whose last letter
    leaves is gone.
    """

    @property
    def failure(self) -> str | None:
        """Why no letter can be stored now; None: they can, while there is room."""

    def put(self, letter: Letter, on_stored: OnStored, *, acknowledged: bool = False) -> None:
        """Take a letter; `on_stored` hears whether it is as safe as letters are here.

        It hears False, perhaps before `put` returns, when there is no room or the disk failed, and
        the letter is not there then. `acknowledged`: somebody was told that it is safe, so that no
        bound counts. A number that the box holds already: the letter is there, and `on_stored`
        hears what became of that one.
        """

    def has(self, user_id: str, platform: str) -> bool:
        """Whether this box has letters; asked for every message, no I/O."""

    def boxes(self) -> Iterable[BoxKey]:
        """List the boxes that have letters."""

    def numbers(self, user_id: str, platform: str) -> Sequence[int]:
        """List the letters of a box, ascending."""

    def read(self, user_id: str, platform: str, numbers: Sequence[int]) -> list[Letter]:
        """Read letters in the order of `numbers`; those that are not there are left out."""

    def remove(self, user_id: str, platform: str, numbers: Iterable[int]) -> None:
        """Remove letters; unknown numbers mean nothing."""

    def expire(self, now: float, most: int = 1000) -> list[tuple[str, str, int, str]]:
        """Remove overdue letters, `most` at most: user, platform, number and msg_id of each."""

    def usage(self, user_id: str, platform: str) -> tuple[int, int]:
        """Tell how many letters and bytes a box has."""

    @property
    def messages(self) -> int:
        """Letters in all boxes."""

    @property
    def bytes(self) -> int:
        """Bytes in all boxes."""

    async def close(self) -> None:
        """Store what was put before and let go of the file; later letters are refused."""
