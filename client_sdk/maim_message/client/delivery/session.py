"""What one resume label remembers across links: unacknowledged messages and received ones.

Rule of the file: pure. `now` is any clock in seconds that only goes forward.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from msgspec import Struct

SEEN_MESSAGES = 10_000


class Kept(Struct):
    """A message that the edge has not answered for; `sent` when a link has taken it."""

    msg_id: str
    frame: bytes
    expires_at: float
    sent: bool = False


class Bounds(Struct, frozen=True):
    """How much is kept, and for how long; one message alone is kept whatever its size."""

    messages: int
    total_bytes: int
    ttl_seconds: float


@dataclass
class Session:
    """The bookkeeping of one connection; the order of messages is that of `keep`."""

    bounds: Bounds
    seen_messages: int = SEEN_MESSAGES
    _kept: OrderedDict[str, Kept] = field(default_factory=OrderedDict)
    _kept_bytes: int = 0
    _seen: OrderedDict[tuple[object, str], None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def kept_bytes(self) -> int:
        """The size of all frames that are kept."""
        return self._kept_bytes

    def keep_waiting(self, msg_id: str, frame: bytes, now: float) -> bool:
        """Keep a message for the next link; False when the bounds leave no room for it.

        Nothing gives way here: the sender of each kept message was told that it is kept.
        """
        if not self._has_room_for(frame):
            return False
        self._add(Kept(msg_id, frame, now + self.bounds.ttl_seconds))
        return True

    def keep_sent(self, msg_id: str, frame: bytes, now: float) -> list[str]:
        """Keep a message that goes out now; returns the ids of the oldest that gave way."""
        gone = []
        while not self._has_room_for(frame):
            gone.append(next(iter(self._kept)))
            self._drop(gone[-1])
        self._add(Kept(msg_id, frame, now + self.bounds.ttl_seconds, sent=True))
        return gone

    def settle(self, msg_id: str) -> bool:
        """Forget a message that the edge took or refused; False when it was not kept."""
        return self._drop(msg_id) is not None

    def expire(self, now: float) -> list[str]:
        """Forget what was kept for longer than its time; returns the ids."""
        gone = [kept.msg_id for kept in self._kept.values() if kept.expires_at <= now]
        for msg_id in gone:
            self._drop(msg_id)
        return gone

    def to_resend(self) -> list[Kept]:
        """Return all that is kept, oldest first: each goes out once on a new link."""
        return list(self._kept.values())

    def drop_largest_sent(self) -> str | None:
        """Forget the frame that a close 1009 was about.

        Whichever frame was over the limit, the largest one is, so that no guess is needed.
        """
        sent = [kept for kept in self._kept.values() if kept.sent]
        if not sent:
            return None
        largest = max(sent, key=lambda kept: len(kept.frame))
        self._drop(largest.msg_id)
        return largest.msg_id

    def is_new(self, sender: object, msg_id: str) -> bool:
        """Tell whether a message that is handed over is the first of its id; remembers it."""
        known = len(self._seen)
        self._seen[(sender, msg_id)] = None
        if len(self._seen) == known:
            return False
        if known == self.seen_messages:
            self._seen.popitem(last=False)
        return True

    def forget(self, sender: object, msg_id: str) -> None:
        """Let a message be new again."""
        self._seen.pop((sender, msg_id), None)

    def _has_room_for(self, frame: bytes) -> bool:
        if not self._kept:
            return True
        fits = self._kept_bytes + len(frame) <= self.bounds.total_bytes
        return fits and len(self._kept) < self.bounds.messages

    def _add(self, kept: Kept) -> None:
        self._drop(kept.msg_id)
        self._kept[kept.msg_id] = kept
        self._kept_bytes += len(kept.frame)

    def _drop(self, msg_id: str) -> Kept | None:
        kept = self._kept.pop(msg_id, None)
        if kept is not None:
            self._kept_bytes -= len(kept.frame)
        return kept
