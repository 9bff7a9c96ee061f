"""What one client was delivered lately: each message once, and which it is known to have. Pure.

A message is over when the client acknowledged it. One that never acknowledges anything has a
message for certain when it answers a ping that was written after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from maim_edge.bridge import OVER, WRITTEN, Downlink, Receipt
from maim_edge.dialects import Delivery
from maim_protocol.bridge import BridgeOutcome, Want

# Messages are known as delivered until so many later ones have come, up to twice as many.
WINDOW_MESSAGES = 256
# Of so much that is not over a client is asked by a ping whether it has read it: one that has
# never acknowledged anything, and one that acknowledges late.
PROBE_MESSAGES, PROBE_BYTES = 256, 1 << 20
PROBE_LATE_MESSAGES, PROBE_LATE_BYTES = 5_000, 8 << 20
# What a client may leave unanswered, besides what may wait in its outbox and one message more.
MOST_MESSAGES, MOST_BYTES = 20_000, 16 << 20
# Pongs after which a client that acknowledges others is not going to acknowledge this one.
MOST_PONGS = 3

Key = tuple[str, str]


class DeliveryWindow:
    """The deliveries of one connection, by sender and msg_id."""

    __slots__ = ("_acks", "_bytes", "_limit_bytes", "_newer", "_older", "_pinged", "_unconfirmed")

    def __init__(self, waiting_bytes: int) -> None:
        self._limit_bytes = waiting_bytes + MOST_BYTES
        self._newer: set[Key] = set()
        self._older: set[Key] = set()
        # By msg_id, which is all that an acknowledgement says; in the order of delivery.
        self._unconfirmed: dict[str, Receipt] = {}
        self._bytes = 0
        self._acks = False
        # What was written when a ping went out that is not answered yet.
        self._pinged: list[Receipt] | None = None

    @property
    def unconfirmed(self) -> int:
        """How many deliveries are not over."""
        return len(self._unconfirmed)

    def expect(
        self,
        downlink: Downlink,
        ordinal: int,
        conn: int,
        want: int,
        delivery: Delivery,
    ) -> Receipt | None:
        """Note a delivery that is to be written; None when it was delivered before."""
        msg_id = delivery.msg_id
        key = (delivery.sender_user, msg_id)
        receipt = Receipt(downlink, ordinal, conn, want, delivery)
        if (key in self._newer or key in self._older) and self._repeated(receipt):
            return None
        self._remember(key)
        self._add(receipt)
        return receipt

    @property
    def needs_probe(self) -> bool:
        """Whether it is time to ask by a ping what the client has read, or too late for it."""
        if self._pinged is not None:
            return self.overflows
        if self._acks:
            return len(self._unconfirmed) >= PROBE_LATE_MESSAGES or self._bytes >= PROBE_LATE_BYTES
        return len(self._unconfirmed) >= PROBE_MESSAGES or self._bytes >= PROBE_BYTES

    @property
    def overflows(self) -> bool:
        """Whether the client has left too much unanswered."""
        return len(self._unconfirmed) > MOST_MESSAGES or self._bytes > self._limit_bytes

    def acked(self, msg_id: str) -> bool:
        """Note an acknowledgement; False when nobody waits for it."""
        self._acks = True
        receipt = self._unconfirmed.get(msg_id)
        if receipt is None:
            return False
        self._remove(receipt)
        receipt.acked()
        return True

    def pinged(self) -> None:
        """Note that a ping was written; one that is not answered yet stands for both."""
        if self._pinged is None and self._unconfirmed:
            self._pinged = [one for one in self._all() if one.stage == WRITTEN]

    def ponged(self) -> None:
        """Note an answer: the client has read what was written before the ping."""
        pinged, self._pinged = self._pinged, None
        for receipt in pinged or ():
            receipt.pongs += 1
            if not self._acks or receipt.pongs >= MOST_PONGS:
                self._end(receipt)

    def dropped(self, receipt: Receipt) -> None:
        """Forget a message that gave way to others in the outbox; it was told already."""
        self._end(receipt)

    def fail(self, outcome: BridgeOutcome) -> None:
        """Give everything up that is not over."""
        unconfirmed = list(self._all())
        self._unconfirmed.clear()
        self._bytes = 0
        for receipt in unconfirmed:
            receipt.failed(outcome)

    def _repeated(self, receipt: Receipt) -> bool:
        """Answer for a message that was delivered before; False when that delivery failed."""
        sender = receipt.delivery.sender_user
        known = self._unconfirmed.get(receipt.msg_id)
        while known is not None and known.delivery.sender_user != sender:
            known = known.twin
        if known is not None:
            if known.stage == OVER:
                return known.failure is None
            known.moves(receipt.downlink, receipt.ordinal, receipt.want)
            return True
        receipt.written()
        if receipt.want == Want.ACKED and self._acks:
            receipt.acked()
        else:
            receipt.confirmed()
        return True

    def _remember(self, key: Key) -> None:
        self._newer.add(key)
        if len(self._newer) >= WINDOW_MESSAGES:
            self._older, self._newer = self._newer, set()

    def _end(self, receipt: Receipt) -> None:
        self._remove(receipt)
        receipt.confirmed()

    def _all(self) -> Iterator[Receipt]:
        for receipt in self._unconfirmed.values():
            one: Receipt | None = receipt
            while one is not None:
                yield one
                one = one.twin

    def _add(self, receipt: Receipt) -> None:
        """Append to those of its msg_id; there are several when senders choose alike."""
        self._bytes += receipt.size
        last = self._unconfirmed.setdefault(receipt.msg_id, receipt)
        while last is not receipt:
            if last.twin is None:
                last.twin = receipt
            last = last.twin

    def _remove(self, receipt: Receipt) -> None:
        before, one = None, self._unconfirmed.get(receipt.msg_id)
        while one is not None and one is not receipt:
            before, one = one, one.twin
        if one is None:
            return
        self._bytes -= receipt.size
        if before is not None:
            before.twin = receipt.twin
        elif receipt.twin is not None:
            self._unconfirmed[receipt.msg_id] = receipt.twin
        else:
            del self._unconfirmed[receipt.msg_id]
