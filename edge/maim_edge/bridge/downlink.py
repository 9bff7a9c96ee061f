"""What the edge owes the router about deliveries: taken, done, outcomes. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

import msgspec

from maim_edge.dialects import Delivery
from maim_protocol.bridge import BridgeOutcome, EdgeFrame, Outcomes, Want, to_ranges


class Stage(enum.IntEnum):
    """How far a delivery has come at one connection."""

    WAITING = 0
    WRITTEN = 1
    OVER = 2


# Looked up once: an enumeration's attributes are slow.
WAITING, WRITTEN, OVER = Stage


class Receipt(msgspec.Struct):
    """One delivery at one connection; whoever handles it says here what became of it.

    It is over when the client has the message for certain, or will not get it; what is said
    after that means nothing.
    """

    downlink: Downlink
    ordinal: int
    conn: int
    want: int
    delivery: Delivery
    stage: Stage = WAITING
    failure: BridgeOutcome | None = None
    # Pongs that came for pings written after it.
    pongs: int = 0
    # The next one with the same msg_id at the same connection.
    twin: Receipt | None = None

    @property
    def msg_id(self) -> str:
        """What the client acknowledges it by."""
        return self.delivery.msg_id

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return self.delivery.size

    def written(self) -> None:
        """The frame was handed to the socket."""
        if self.stage == WAITING:
            self.stage = WRITTEN
            if self.want:
                self.downlink.report(self, BridgeOutcome.WRITTEN)
            if self.want == Want.PASSING:
                self.confirmed()

    def acked(self) -> None:
        """The client has acknowledged it."""
        if self.stage != OVER:
            self.stage = OVER
            if self.want == Want.ACKED:
                self.downlink.report(self, BridgeOutcome.ACKED)
            self.downlink.end(self.ordinal)

    def confirmed(self) -> None:
        """The client has it, though it did not say so in so many words."""
        if self.stage != OVER:
            self.stage = OVER
            self.downlink.end(self.ordinal)

    def failed(self, outcome: BridgeOutcome) -> None:
        """The frame will not reach the client, or it is not known whether it did."""
        if self.stage != OVER:
            self.stage = OVER
            self.failure = outcome
            self.downlink.fail(self, outcome)

    def moves(self, downlink: Downlink, ordinal: int, want: int) -> None:
        """Answer to another stream from now on, which has sent the same message again."""
        self.downlink.end(self.ordinal)
        self.downlink, self.ordinal, self.want = downlink, ordinal, want
        if self.stage == WRITTEN and want:
            downlink.report(self, BridgeOutcome.WRITTEN)


class Downlink:
    """The deliveries of one stream; a new stream has a new one.

    `requeue` takes what a client did not get after the stream was lost.
    """

    def __init__(self, requeue: Callable[[Receipt], None]) -> None:
        self._requeue_receipt = requeue
        self._lost = False
        # Connections at which a delivery is not over, for those that have several.
        self._open: dict[int, int] = {}
        self._outcomes = Outcomes()
        self._done: list[int] = []
        self._taken = 0
        self._told_taken = 0
        # Whether somebody waits for what is owed; else it may keep the next frame company.
        self.urgent = False

    def passed(self, ordinal: int, conns: Sequence[int], later: int) -> None:
        """Note a delivery that went to each of these sockets; `end` is to come for `later` ones."""
        self.take(ordinal, later)
        self.urgent = True
        self._outcomes.ordinals.extend([ordinal] * len(conns))
        self._outcomes.conns.extend(conns)
        self._outcomes.outcomes.extend([BridgeOutcome.WRITTEN] * len(conns))

    def take(self, ordinal: int, connections: int) -> None:
        """Note that a delivery is in this edge's memory; `end` is to come for each connection."""
        self._taken = ordinal
        if connections > 1:
            self._open[ordinal] = connections
        elif not connections:
            self._done.append(ordinal)

    def report(self, receipt: Receipt, outcome: BridgeOutcome) -> None:
        """Tell what became of a delivery at a connection."""
        self.urgent = True
        self._outcomes.ordinals.append(receipt.ordinal)
        self._outcomes.conns.append(receipt.conn)
        self._outcomes.outcomes.append(outcome)

    def fail(self, receipt: Receipt, outcome: BridgeOutcome) -> None:
        """Tell that a client does not get a delivery: whoever sent it, or the next router."""
        if self._lost:
            # What gave way by policy is not to come again.
            if outcome != BridgeOutcome.DROPPED:
                self._requeue_receipt(receipt)
        else:
            self.report(receipt, outcome)
            self.end(receipt.ordinal)

    def lose(self) -> None:
        """Note that nobody listens any more."""
        self._lost = True

    def end(self, ordinal: int) -> None:
        """Note that a delivery is over at one more connection."""
        remaining = self._open.get(ordinal, 1)
        if remaining > 1:
            self._open[ordinal] = remaining - 1
        else:
            self._open.pop(ordinal, None)
            self._done.append(ordinal)

    @property
    def pending(self) -> bool:
        """Whether there is anything to tell the router."""
        return bool(self._done or self._outcomes.ordinals or self._taken > self._told_taken)

    @property
    def owes(self) -> bool:
        """Whether somebody waits for it."""
        return self.urgent and self.pending

    def fill(self, frame: EdgeFrame | None) -> EdgeFrame | None:
        """Put what the router is owed into a frame, a new one if there is none."""
        if not self.pending:
            return frame
        frame = frame or EdgeFrame()
        frame.taken_through = self._told_taken = self._taken
        self.urgent = False
        frame.done, self._done = to_ranges(self._done), []
        if self._outcomes.ordinals:
            frame.outcomes, self._outcomes = self._outcomes, Outcomes()
        return frame
