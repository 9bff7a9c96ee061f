"""What became of a message: outcomes, reports and the ledger that gathers them."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from maim_protocol.frames import BridgeOutcome


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
        return self in (Outcome.ACKED, Outcome.WRITTEN, Outcome.QUEUED)


OF_BRIDGE = {
    BridgeOutcome.WRITTEN: Outcome.WRITTEN,
    BridgeOutcome.ACKED: Outcome.ACKED,
    BridgeOutcome.GONE: Outcome.NO_CONNECTION,
    BridgeOutcome.SLOW: Outcome.SLOW,
    BridgeOutcome.TOO_LARGE: Outcome.TOO_LARGE,
}
_BEST_FIRST = list(Outcome)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of one message at every connection that it was for."""

    msg_id: str
    user_id: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The best outcome of all; `NO_CONNECTION` when there was no connection."""
        return min(self.outcomes.values(), key=_BEST_FIRST.index, default=Outcome.NO_CONNECTION)


class DeliveryResult(dict[str, bool]):
    """Connection id → whether the message went out; `.report` says what exactly happened."""

    def __init__(self, report: DeliveryReport) -> None:
        super().__init__({uuid: out.delivered for uuid, out in report.outcomes.items()})
        self.report = report


class Ledger:
    """Follows one message through all the edges that it was handed to.

    `on_taken(any_edge)` is called once, when every edge has it in its memory or is lost; it says
    whether at least one has it. Whoever hands out counts as an edge while it does.
    """

    def __init__(self, on_taken: Callable[[bool], None] | None = None) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._on_taken = on_taken
        self._edges_open = 0
        self._taken_once = False
        self._open: set[str] = set()
        self._finished: asyncio.Future[None] | None = None

    def expect(self, uuids: Iterable[str] = ()) -> None:
        """Count in an edge, and the connections there whose last word is wanted."""
        self._edges_open += 1
        self._open.update(uuids)

    def taken(self, *, by_edge: bool) -> None:
        """Note that one edge has it, or is lost."""
        self._edges_open -= 1
        self._taken_once = self._taken_once or by_edge
        if self._edges_open == 0 and self._on_taken is not None:
            self._on_taken(self._taken_once)

    def note(self, uuid: str, outcome: Outcome, *, last: bool) -> None:
        """Note what became of it at one connection; `last` when nothing more will come."""
        self.outcomes[uuid] = outcome
        if last:
            self._close(uuid)

    def lose(self, uuid: str) -> None:
        """Note that the edge of a connection was lost before its last word."""
        if uuid in self._open:
            self.outcomes.setdefault(uuid, Outcome.EDGE_UNREACHABLE)
            self._close(uuid)

    async def wait(self, timeout: float) -> None:
        """Wait until the last word on every connection is known, at most `timeout` seconds."""
        if not self._open:
            return
        self._finished = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._finished], timeout=timeout)

    def _close(self, uuid: str) -> None:
        self._open.discard(uuid)
        if not self._open and self._finished is not None and not self._finished.done():
            self._finished.set_result(None)
