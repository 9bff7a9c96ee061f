"""What waits to be written to one client: bounded in bytes and number, pure.

The bytes are memory, so their bound is hard. The number is a sign that a client is slow, and only
one that lasts: a thousand small messages may well come in one frame of the router. What happens
when there is no room is each message's own matter (`overflow`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice

import msgspec

from maim_edge.bridge import Receipt
from maim_edge.delivery.overflow import DISCONNECT, Handling, Policy
from maim_edge.dialects import Pieces
from maim_edge.websocket import MemoryBudget
from maim_protocol.bridge import BridgeOutcome

# How long there may be more messages than the limit.
OVER_SECONDS = 2.0
# What a frame costs besides its data.
FRAME_BYTES = 200


class OutFrame(msgspec.Struct, frozen=True):
    """One frame for a client, and whom to tell when it is written; or the end of it all."""

    pieces: Pieces
    receipt: Receipt | None = None
    handling: Handling = DISCONNECT
    # Close the connection instead, with this code and reason.
    close: tuple[int, str] | None = None

    @property
    def size(self) -> int:
        """Memory that it takes, in bytes."""
        return sum(map(len, self.pieces)) + FRAME_BYTES


class Piece(msgspec.Struct, frozen=True):
    """What is written next: a whole frame when it is both first and last."""

    data: bytes
    first: bool
    last: bool


class Outbox:
    """A queue with a bound; an empty one takes a frame of any size.

    `deadline` (monotonic seconds) is when it will have been full for too long for a message that
    blocks; None: it is not full, or no such message came. `dropped` are messages that
    gave way; whoever has taken note of them clears it.
    """

    __slots__ = (
        "_begun",
        "_droppable",
        "_frames",
        "_keys",
        "_limit_bytes",
        "_limit_messages",
        "_memory",
        "_next",
        "_over_since",
        "bytes",
        "deadline",
        "dropped",
        "watched",
    )

    def __init__(
        self, limit_bytes: int, limit_messages: int, memory: MemoryBudget | None = None
    ) -> None:
        self._memory = memory or MemoryBudget()
        self._limit_bytes = limit_bytes
        self._limit_messages = limit_messages
        # By their number, which grows: one in the midst can be replaced or taken out.
        self._frames: OrderedDict[int, OutFrame] = OrderedDict()
        self._keys: dict[tuple[str, str, str], int] = {}
        self._next = 0
        self._droppable = 0
        # How many pieces of the oldest frame are written.
        self._begun = 0
        self._over_since: float | None = None
        self.bytes = 0
        self.dropped: list[OutFrame] = []
        self.deadline: float | None = None
        # Whether somebody will look at the deadline.
        self.watched = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: OutFrame, now: float) -> bool:
        """Take a frame at `now` (monotonic seconds), or drop what its policy says.

        Returns False when it finds no room and must not be dropped: the end of the connection.
        """
        if frame.close is not None:
            self._append(frame)
            return True
        if self._takes_place(frame):
            return True
        if self._over_since is None and len(self._frames) >= self._limit_messages:
            self._over_since = now
        if self._has_room(frame, now):
            self._append(frame)
            self._block(frame.handling, now)
        elif self._make_room(frame, now):
            self._append(frame)
        elif frame.handling.droppable:
            self._tell(frame)
        else:
            return self._waits(frame, now)
        return True

    def first(self) -> OutFrame | None:
        """The oldest frame, which stays until `pop`: what is being written takes room too."""
        return next(iter(self._frames.values()), None)

    def next_piece(self, most: int) -> Piece:
        """Take what is to be written next: the oldest frame, in pieces when over `most` bytes."""
        pieces = next(iter(self._frames.values())).pieces
        index = self._begun
        if index == 0 and sum(map(len, pieces)) <= most:
            return Piece(b"".join(pieces), first=True, last=True)
        self._begun += 1
        return Piece(pieces[index], index == 0, self._begun == len(pieces))

    def pop(self) -> None:
        """Remove the oldest frame."""
        self._begun = 0
        self._remove(next(iter(self._frames)))

    def overdue(self, now: float) -> bool:
        """Whether it has been full for longer than a message that blocks may wait."""
        return self.deadline is not None and now >= self.deadline

    def fail(self, outcome: BridgeOutcome) -> None:
        """Drop everything and say so to whoever waits for it."""
        frames = list(self._frames.values())
        self._frames.clear()
        self._keys.clear()
        self.bytes = self._droppable = self._begun = 0
        self.deadline = None
        for frame in frames:
            self._memory.drop(frame.pieces)
            if frame.receipt is not None:
                frame.receipt.failed(outcome)

    def _append(self, frame: OutFrame) -> None:
        self._next += 1
        self._memory.keep(frame.pieces)
        self._frames[self._next] = frame
        self.bytes += frame.size
        self._droppable += frame.handling.droppable
        if frame.handling.key is not None:
            self._keys[frame.handling.key] = self._next

    def _remove(self, number: int) -> OutFrame:
        frame = self._frames.pop(number)
        self._memory.drop(frame.pieces)
        self.bytes -= frame.size
        self._droppable -= frame.handling.droppable
        key = frame.handling.key
        if key is not None and self._keys.get(key) == number:
            del self._keys[key]
        if len(self._frames) < self._limit_messages:
            self._over_since = None
            if self.bytes < self._limit_bytes:
                self.deadline = None
        return frame

    def _takes_place(self, frame: OutFrame) -> bool:
        """Put a frame in the place of the one that waits with its key, where it fits there."""
        key = frame.handling.key
        number = self._keys.get(key) if key is not None else None
        if number is None or (self._begun and number == next(iter(self._frames))):
            return False
        earlier = self._frames[number]
        self._tell(earlier)
        more = frame.size - earlier.size
        if more > 0 and len(self._frames) > 1 and self.bytes + more > self._limit_bytes:
            self._remove(number)
            return False
        self._memory.drop(earlier.pieces)
        self._memory.keep(frame.pieces)
        self._frames[number] = frame
        self.bytes += more
        return True

    def _has_room(self, frame: OutFrame, now: float, freed: int = 0, fewer: int = 0) -> bool:
        number = len(self._frames) - fewer
        if number == 0:
            return True
        if self.bytes - freed + frame.size > self._limit_bytes:
            return False
        over = self._over_since
        return number < self._limit_messages or (over is not None and now - over <= OVER_SECONDS)

    def _make_room(self, frame: OutFrame, now: float) -> bool:
        """Drop waiting messages that may be, as far as it takes; none when it is no use."""
        if not self._droppable:
            return False
        victims: list[int] = []
        freed = 0
        for number in self._giving_way(frame.handling):
            victims.append(number)
            freed += self._frames[number].size
            if self._has_room(frame, now, freed, len(victims)):
                for victim in victims:
                    self._tell(self._remove(victim))
                return True
        return False

    def _giving_way(self, handling: Handling) -> Iterator[int]:
        """Name the frames that give way to a new one, the first to go first."""
        if handling.policy is Policy.DROP_NEWEST:
            return
        waiting = islice(self._frames.items(), 1 if self._begun else 0, None)
        newest: list[int] = []
        for number, frame in waiting:
            if frame.handling.policy is Policy.DROP_NEWEST:
                newest.append(number)
            elif frame.handling.droppable:
                yield number
        if not handling.droppable:
            yield from reversed(newest)

    def _waits(self, frame: OutFrame, now: float) -> bool:
        """Take a message that blocks: until its time is up, one more than there is room for."""
        blocks = frame.handling.policy is Policy.BLOCK
        if not blocks or self.bytes > self._limit_bytes or self.overdue(now):
            return False
        self._append(frame)
        self._block(frame.handling, now)
        return True

    def _block(self, handling: Handling, now: float) -> None:
        """Let the time run, if the outbox is full now."""
        full = self._over_since is not None or self.bytes >= self._limit_bytes
        if full and handling.policy is Policy.BLOCK and self.deadline is None:
            self.deadline = now + handling.seconds

    def _tell(self, frame: OutFrame) -> None:
        """Note a message that is dropped, and say so to whoever waits for it."""
        self.dropped.append(frame)
        if frame.receipt is not None:
            frame.receipt.failed(BridgeOutcome.DROPPED)
