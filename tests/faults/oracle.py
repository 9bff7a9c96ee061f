"""What was promised and what came: judges the facts, pure, whatever the order they come in.

It knows what every sender was told of each letter and what every receiver got, nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple


class Letter(NamedTuple):
    """One message: the `number`-th from `sender` to `receiver`."""

    sender: str
    receiver: str
    number: int

    def __str__(self) -> str:
        return f"{self.sender}>{self.receiver}#{self.number}"

    @classmethod
    def read(cls, text: str) -> Letter:
        """Read what `str` wrote."""
        sender, _, rest = text.partition(">")
        receiver, _, number = rest.partition("#")
        return cls(sender, receiver, int(number))


class Oracle:
    """Takes facts in and names what is broken, and what is still waited for.

    `times` says how often a receiver may get one letter: once, unless it cannot tell duplicates.
    `excused` are the error codes with which a letter may be refused.
    """

    def __init__(self, times: dict[str, int] | None = None, excused: Iterable[str] = ()) -> None:
        self._times = times or {}
        self._excused = tuple(excused)
        self._sent: dict[tuple[str, str], int] = defaultdict(int)
        self._open: set[Letter] = set()
        self._acked: set[Letter] = set()
        self._missing: set[Letter] = set()
        self._refused: dict[Letter, str] = {}
        self._arrived: dict[Letter, int] = {}
        self._last: dict[tuple[str, str], Letter] = {}
        self._broken: list[str] = []

    def write(self, sender: str, receiver: str) -> Letter:
        """Make the next letter of a sender to a receiver, which counts as sent."""
        self._sent[sender, receiver] += 1
        letter = Letter(sender, receiver, self._sent[sender, receiver])
        self._open.add(letter)
        return letter

    def acked(self, letter: Letter) -> None:
        """Note that the sender was told that it is safe."""
        self._open.discard(letter)
        self._acked.add(letter)
        if letter not in self._arrived:
            self._missing.add(letter)

    def refused(self, letter: Letter, why: str) -> None:
        """Note that the sender was told that it was not taken; `why` begins with the code."""
        self._open.discard(letter)
        self._refused[letter] = why
        if not why.startswith(self._excused):
            self._broken.append(f"{letter} was refused: {why}")

    def arrived(self, receiver: str, letter: Letter) -> None:
        """Note that a receiver got it."""
        self._missing.discard(letter)
        times = self._arrived[letter] = self._arrived.get(letter, 0) + 1
        if times > self._times.get(receiver, 1):
            self._broken.append(f"{letter} arrived {times} times")
        if times == 1:
            self._first(receiver, letter)

    def broke(self, what: str) -> None:
        """Note that something happened that never may."""
        self._broken.append(what)

    @property
    def broken(self) -> list[str]:
        """What no waiting can mend."""
        return list(self._broken)

    @property
    def unanswered(self) -> list[Letter]:
        """Letters whose senders were told nothing yet."""
        return sorted(self._open)

    @property
    def missing(self) -> list[Letter]:
        """Letters that were acknowledged and have not arrived yet."""
        return sorted(self._missing)

    @property
    def content(self) -> bool:
        """Whether nothing is waited for any more."""
        return not self._open and not self._missing

    @property
    def acknowledged(self) -> int:
        """How many letters were acknowledged to their senders."""
        return len(self._acked)

    @property
    def summary(self) -> str:
        """The figures in one line."""
        return ", ".join(f"{count} {name}" for name, count in self.figures.items())

    @property
    def figures(self) -> dict[str, int]:
        """How many of what there were."""
        return {
            "sent": sum(self._sent.values()),
            "acknowledged": len(self._acked),
            "refused": len(self._refused),
            "arrived": len(self._arrived),
            "twice": sum(times > 1 for times in self._arrived.values()),
            "missing": len(self._missing),
            "unanswered": len(self._open),
            "broken": len(self._broken),
        }

    def report(self, most: int = 10) -> str:
        """Say what is wrong or waited for, one line each, at most so many of a kind."""
        lines = [
            *_some("broken", self._broken, most),
            *_some("acknowledged but not arrived", self.missing, most),
            *_some("never answered", self.unanswered, most),
        ]
        return "\n".join([self.summary, *lines])

    def _first(self, receiver: str, letter: Letter) -> None:
        if receiver != letter.receiver:
            self._broken.append(f"{letter} arrived at {receiver}")
        if letter.number > self._sent.get((letter.sender, letter.receiver), 0):
            self._broken.append(f"{letter} arrived and was never sent")
        pair = letter.sender, letter.receiver
        last = self._last.get(pair)
        if last is not None and last.number > letter.number:
            self._broken.append(f"{letter} arrived after {last}")
        else:
            self._last[pair] = letter


def _some(what: str, items: Iterable[object], most: int) -> list[str]:
    named = [str(item) for item in items]
    more = [f"  and {len(named) - most} more"] if len(named) > most else []
    return [f"{what}:", *(f"  {one}" for one in named[:most]), *more] if named else []
