"""What became of a message: outcomes, reports and the tracker that gathers them."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from maim_protocol.bridge import BridgeOutcome, Want


class Outcome(enum.StrEnum):
    """What became of a message at one connection (docs/api.md, "DeliveryResult")."""

    ACKED = "ACKED"
    WRITTEN = "WRITTEN"
    QUEUED = "QUEUED"
    NO_CONNECTION = "NO_CONNECTION"
    SLOW = "SLOW"
    TOO_LARGE = "TOO_LARGE"
    EDGE_UNREACHABLE = "EDGE_UNREACHABLE"
    EXPIRED = "EXPIRED"

    @property
    def delivered(self) -> bool:
        """Whether the message is on its way to a client or safe for it."""
        return self in _DELIVERED


OF_BRIDGE: dict[int, Outcome] = {
    BridgeOutcome.WRITTEN: Outcome.WRITTEN,
    BridgeOutcome.ACKED: Outcome.ACKED,
    BridgeOutcome.GONE: Outcome.NO_CONNECTION,
    BridgeOutcome.SLOW: Outcome.SLOW,
    BridgeOutcome.TOO_LARGE: Outcome.TOO_LARGE,
    BridgeOutcome.DROPPED: Outcome.SLOW,
}
_BEST_FIRST = list(Outcome)
_DELIVERED = frozenset((Outcome.ACKED, Outcome.WRITTEN, Outcome.QUEUED))


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one message at every connection that it was for.

    `box` is what became of it in the mailbox (`QUEUED`, `EXPIRED`), None when it never was there;
    `expires_at` is when it leaves that, Unix seconds.
    """

    msg_id: str
    user_id: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    box: Outcome | None = None
    expires_at: float = 0.0

    @property
    def outcome(self) -> Outcome:
        """The best outcome of all; `NO_CONNECTION` when there was no connection."""
        found = {*self.outcomes.values()} | ({self.box} if self.box is not None else set())
        return min(found, key=_BEST_FIRST.index, default=Outcome.NO_CONNECTION)


class DeliveryResult(dict[str, bool]):
    """Connection id → whether the message went out; `.report` says what exactly happened."""

    def __init__(self, report: DeliveryReport) -> None:
        super().__init__({uuid: out in _DELIVERED for uuid, out in report.outcomes.items()})
        self.report = report


class DeliveryTracker:
    """Follows one message through all the edges that it was handed to.

    `on_taken(any_edge)` is called once, when every edge has it in its memory or is lost; it says
    whether at least one has it. Whoever hands out counts as an edge while it does.
    """

    def __init__(self, on_taken: Callable[[bool], None] | None = None) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._on_taken = on_taken
        self._edges_open = 0
        self._taken_once = False
        self._edges_tracked = 0
        self._finished: asyncio.Future[None] | None = None
        # What became of it in the mailbox, when that was the last word.
        self.box: Outcome | None = None

    def expect(self) -> None:
        """Count in an edge."""
        self._edges_open += 1

    def add_edge(self, uuids: Mapping[int, str], want: Want) -> EdgeTracker:
        """Count in an edge with its connections, handle → id, and what is wanted of them."""
        self._edges_open += 1
        self._edges_tracked += bool(want and uuids)
        return EdgeTracker(self, uuids, want)

    def taken(self, *, by_edge: bool) -> None:
        """Note that one edge has it, or is lost."""
        self._edges_open -= 1
        self._taken_once = self._taken_once or by_edge
        if self._edges_open == 0 and self._on_taken is not None:
            self._on_taken(self._taken_once)

    def close(self, box: Outcome) -> None:
        """Note what became of it in the mailbox: nothing more will come."""
        self.box = box
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(None)

    def edge_ended(self) -> None:
        """Note that the last word on every connection of one edge is known."""
        self._edges_tracked -= 1
        if not self._edges_tracked and self._finished is not None and not self._finished.done():
            self._finished.set_result(None)

    @property
    def queued(self) -> bool:
        """Whether the last word is that it waits in the mailbox."""
        words = self.outcomes.values()
        over = self.box is not None or self._edges_tracked or Outcome.ACKED in words
        return not over and Outcome.QUEUED in words

    @property
    def open(self) -> bool:
        """Whether the last word on some connection is missing."""
        return self._edges_tracked > 0

    async def wait(self, timeout: float, *, for_box: bool = False) -> bool:
        """Wait until the last word on every connection is known, at most `timeout` seconds.

        `for_box`: it is in the mailbox, and somebody may come for it. Says whether it is known.
        """
        if self.box is not None or not (self._edges_tracked or for_box):
            return True
        self._finished = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._finished], timeout=timeout)
        return self._finished.done()


class EdgeTracker:
    """What one edge has of a message; connections are named by their handles.

    Reports come for many connections at a time and are taken in so: a broadcast to thousands
    costs next to nothing for each.
    """

    __slots__ = ("_open", "_taken", "_tracker", "_uuids", "_want")

    def __init__(self, tracker: DeliveryTracker, uuids: Mapping[int, str], want: Want) -> None:
        self._tracker = tracker
        self._uuids = uuids
        self._want = want
        self._taken = False
        # Whose last word is missing; None: everybody's, or nobody's when none is wanted.
        self._open: set[int] | None = None if want else set()

    def taken(self, *, by_edge: bool) -> None:
        """Note that the edge has it, or is lost; what comes later changes nothing."""
        if not self._taken:
            self._taken = True
            self._tracker.taken(by_edge=by_edge)

    def hear(self, outcomes: Mapping[int, int]) -> None:
        """Note what became of it, handle → `BridgeOutcome`; raises `KeyError` for another value."""
        uuids = self._uuids
        if not outcomes.keys() <= uuids.keys():
            outcomes = {conn: code for conn, code in outcomes.items() if conn in uuids}
        found = {uuids[conn]: OF_BRIDGE[code] for conn, code in outcomes.items()}
        self._tracker.outcomes.update(found)
        if self._want is Want.ACKED:
            written = BridgeOutcome.WRITTEN
            outcomes = {conn: code for conn, code in outcomes.items() if code != written}
        self._close(outcomes)

    def end(self, conns: Iterable[int], outcome: Outcome) -> None:
        """Note the last word on some connections, unless there was one."""
        still = self._uuids if self._open is None else self._open
        ended = [conn for conn in conns if conn in still]
        for conn in ended:
            self._tracker.outcomes[self._uuids[conn]] = outcome
        self._close(dict.fromkeys(ended, 0))

    def done(self, back: Collection[int] = ()) -> None:
        """Note that the edge says nothing more of it; it is not over where it came `back` from."""
        self._close({conn: 0 for conn in self._uuids if conn not in back})

    def lose(self) -> None:
        """Note that the edge is lost."""
        self.taken(by_edge=False)
        lost = self._uuids if self._open is None else self._open
        for conn in lost:
            self._tracker.outcomes.setdefault(self._uuids[conn], Outcome.EDGE_UNREACHABLE)
        self.done()

    def _close(self, conns: Mapping[int, int]) -> None:
        if self._open is None:
            if len(conns) < len(self._uuids):
                self._open = set(self._uuids).difference(conns)
                return
            self._open = set()
        elif self._open:
            self._open.difference_update(conns)
        else:
            return
        if not self._open and self._uuids:
            self._tracker.edge_ended()
