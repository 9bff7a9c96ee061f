"""The place of a message among all that a router takes: pure, the clock is passed in."""

from __future__ import annotations

from maim_router.mailbox import Mailbox


class MessageSequence:
    """Numbers that grow with time and are never given twice, nor by a later run of the router.

    They are microseconds of the Unix clock, or one more than the last where that is later:
    `after` is the largest that is known from before.
    """

    def __init__(self, after: int = 0) -> None:
        self._last = after

    @property
    def last(self) -> int:
        """The last one that was given."""
        return self._last

    def next(self, timestamp: float) -> int:
        """Give the number of a message that came at this time, in Unix seconds."""
        self._last = max(self._last + 1, int(timestamp * 1_000_000))
        return self._last


def last_number(mailbox: Mailbox | None) -> int:
    """Tell the largest number of a mailbox that an earlier run of the router filled."""
    if mailbox is None:
        return 0
    return max((mailbox.numbers(*box)[-1] for box in mailbox.boxes()), default=0)
