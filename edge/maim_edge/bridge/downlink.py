"""What the edge owes the router about deliveries: taken, done, outcomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from maim_protocol.frames import BridgeOutcome, EdgeFrame, Outcomes, Want
from maim_protocol.ranges import to_ranges

# Acknowledgements of one client that are waited for at once; older ones are given up.
AWAITED_ACKS = 10_000


class _Open(msgspec.Struct):
    want: int
    remaining: int


class Receipt(msgspec.Struct, frozen=True):
    """One delivery at one connection; whoever handles it says here what became of it."""

    downlink: Downlink
    ordinal: int
    conn: int
    msg_id: str

    def written(self) -> None:
        """The frame was handed to the socket."""
        self.downlink.written(self)

    def failed(self, outcome: BridgeOutcome) -> None:
        """The frame will not reach the client."""
        self.downlink.failed(self, outcome)


class Downlink:
    """The deliveries of one stream; a new stream has a new one."""

    def __init__(self) -> None:
        self._open: dict[int, _Open] = {}
        self._awaiting_ack: dict[int, dict[str, Receipt]] = {}
        self._outcomes = Outcomes()
        self._done: list[int] = []
        self._taken = 0
        self._told_taken = 0
        # Whether somebody waits for what is owed; else it may keep the next frame company.
        self.urgent = False

    def written_at_once(self, ordinal: int, want: int, conns: Sequence[int]) -> None:
        """Note a delivery that went to the socket of each of its connections without a wait."""
        self._taken = ordinal
        self._done.append(ordinal)
        if want:
            self.urgent = True
            self._outcomes.ordinals.extend([ordinal] * len(conns))
            self._outcomes.conns.extend(conns)
            self._outcomes.outcomes.extend([BridgeOutcome.WRITTEN] * len(conns))

    def take(self, ordinal: int, want: int, connections: int) -> None:
        """Note that a delivery is in this edge's memory."""
        self._taken = ordinal
        self._open[ordinal] = _Open(want, connections)
        if connections == 0:
            self._finish(ordinal)

    def written(self, receipt: Receipt) -> None:
        """Note a write; the end of it unless the client's acknowledgement is wanted."""
        delivery = self._open.get(receipt.ordinal)
        if delivery is None:
            return
        if delivery.want != Want.DONE:
            self._report(receipt, BridgeOutcome.WRITTEN)
        if delivery.want == Want.ACKED:
            self._await_ack(receipt)
        else:
            self._end(receipt.ordinal, delivery)

    def failed(self, receipt: Receipt, outcome: BridgeOutcome) -> None:
        """Note that a delivery will not reach a connection."""
        delivery = self._open.get(receipt.ordinal)
        if delivery is None:
            return
        if delivery.want != Want.DONE:
            self._report(receipt, outcome)
        self._end(receipt.ordinal, delivery)

    def acked(self, conn: int, msg_id: str) -> None:
        """Note a client's acknowledgement; one that nobody waits for means nothing."""
        receipt = self._awaiting_ack.get(conn, {}).pop(msg_id, None)
        if receipt is not None:
            self._report(receipt, BridgeOutcome.ACKED)
            self._give_up(receipt)

    def closed(self, conn: int) -> None:
        """Note that a connection is gone; what it did not acknowledge it never will."""
        for receipt in self._awaiting_ack.pop(conn, {}).values():
            self.failed(receipt, BridgeOutcome.GONE)

    @property
    def pending(self) -> bool:
        """Whether there is anything to tell the router."""
        return bool(self._done or self._outcomes.ordinals or self._taken > self._told_taken)

    def fill(self, frame: EdgeFrame) -> None:
        """Put everything that the router is owed into a frame."""
        frame.taken_through = self._told_taken = self._taken
        self.urgent = False
        frame.done, self._done = to_ranges(self._done), []
        if self._outcomes.ordinals:
            frame.outcomes, self._outcomes = self._outcomes, Outcomes()

    def _await_ack(self, receipt: Receipt) -> None:
        waiting = self._awaiting_ack.setdefault(receipt.conn, {})
        # One acknowledgement answers for the last message of that id.
        self._give_up(waiting.pop(receipt.msg_id, None))
        waiting[receipt.msg_id] = receipt
        if len(waiting) > AWAITED_ACKS:
            self._give_up(waiting.pop(next(iter(waiting))))

    def _give_up(self, receipt: Receipt | None) -> None:
        """Await an acknowledgement no longer; the router keeps its last word on it: written."""
        delivery = self._open.get(receipt.ordinal) if receipt is not None else None
        if receipt is not None and delivery is not None:
            self._end(receipt.ordinal, delivery)

    def _report(self, receipt: Receipt, outcome: BridgeOutcome) -> None:
        self.urgent = True
        self._outcomes.ordinals.append(receipt.ordinal)
        self._outcomes.conns.append(receipt.conn)
        self._outcomes.outcomes.append(outcome)

    def _end(self, ordinal: int, delivery: _Open) -> None:
        delivery.remaining -= 1
        if delivery.remaining == 0:
            self._finish(ordinal)

    def _finish(self, ordinal: int) -> None:
        del self._open[ordinal]
        self._done.append(ordinal)
