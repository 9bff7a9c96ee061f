"""What came and went at a router, numbered from 1 without gaps: a bounded log; no clock, no I/O."""

from __future__ import annotations

import enum
import sys
from collections.abc import Sequence

from msgspec import Struct

from maim_router.events import Session

MAX_EVENTS = 100_000
MAX_BYTES = 64 * 1024 * 1024
# An event, what it shows and their numbers, without the texts (CPython 3.11, 64 bit).
EVENT_BYTES = 320


class Kind(enum.Enum):
    """What happened to a connection."""

    CONNECTED = "connected"
    REPLACED = "replaced"
    DISCONNECTED = "disconnected"
    ACTIVATED = "activated"


class ConnectionView(Struct, frozen=True, gc=False):
    """A connection as it is shown to others: without its credential and its headers."""

    uuid: str
    user_id: str
    platform: str
    label: str
    edge_id: str
    client_ip: str
    connected_at: float
    standby: bool = False
    restored: bool = False

    @classmethod
    def of(cls, session: Session) -> ConnectionView:
        """Show a session."""
        asked = session.open
        return cls(
            session.uuid,
            session.user_id,
            asked.platform,
            asked.label,
            session.edge.edge_id,
            asked.client_ip,
            asked.connected_at,
            session.standby,
            session.restored,
        )


class LifecycleEvent(Struct, frozen=True, gc=False):
    """One event at `time` (Unix seconds); why it ended, and for whom, where it did."""

    kind: Kind
    connection: ConnectionView
    time: float
    code: int = 0
    reason: str = ""
    replaced_by: str = ""


class LogGap(Exception):
    """The log cannot go on where it was asked to; `reason` is for programs."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


class LifecycleLog:
    """The newest events of one router run; `id` names the run, to which the numbers belong."""

    def __init__(self, id: str, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self.id = id
        # The number of the oldest event that is there, and that of the next to come.
        self.oldest = self.next = 1
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._bytes = 0
        # By number: they are consecutive, so that any is found at once.
        self._events: dict[int, LifecycleEvent] = {}

    def append(self, event: LifecycleEvent) -> None:
        """Add an event; the oldest give way to it."""
        self._events[self.next] = event
        self.next += 1
        self._bytes += size_of(event)
        while len(self._events) > self._max_events or self._bytes > self._max_bytes:
            self._bytes -= size_of(self._events.pop(self.oldest))
            self.oldest += 1

    def start(self, from_seq: int, log_id: str = "") -> int:
        """Tell the number of the first event for who asks; 0: of the next one.

        Raises `LogGap` when that event is gone, or is none of this run.
        """
        if log_id not in ("", self.id):
            text = "the numbers are those of another router run, events between are not known"
            raise LogGap("LOG_ID_DIFFERS", text)
        if from_seq > self.next:
            text = f"from_seq: expected at most {self.next}, got {from_seq}"
            raise LogGap("FROM_SEQ_TOO_NEW", f"{text}: it is a number of another router run")
        if from_seq:
            self._check(from_seq, "FROM_SEQ_TOO_OLD")
        return from_seq or self.next

    def read(self, seq: int, most: int) -> Sequence[LifecycleEvent]:
        """Return up to `most` events from a number on; raises `LogGap` when that is gone."""
        self._check(seq, "WATCHER_TOO_SLOW")
        return [self._events[one] for one in range(seq, min(seq + most, self.next))]

    def _check(self, seq: int, reason: str) -> None:
        if seq < self.oldest:
            text = f"event {seq} is not kept any more, the oldest that is there is {self.oldest}"
            raise LogGap(reason, text)


def size_of(event: LifecycleEvent) -> int:
    """Tell about how many bytes an event takes; texts that it shares count in full."""
    seen = event.connection
    texts = (seen.uuid, seen.user_id, seen.platform, seen.label, seen.edge_id, seen.client_ip)
    more = (event.reason, event.replaced_by)
    return EVENT_BYTES + sum(sys.getsizeof(text) for text in (*texts, *more) if text)
