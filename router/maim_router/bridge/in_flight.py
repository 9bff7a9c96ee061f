"""Deliveries that one edge is not done with: pure, no clock, no I/O.

A delivery is kept from the moment when it leaves until the edge says that every client has it
for certain, so that it can be given to somebody else when the edge or a client is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from maim_protocol.bridge import BridgeOutcome, Outcomes, Ranges, covered
from maim_router.bridge.outbound import Delivery
from maim_router.bridge.outcomes import OF_BRIDGE, EdgeTracker
from maim_router.events import Relay

# What a client will not get from this connection, but may from another one.
_RETURNED = frozenset((BridgeOutcome.GONE, BridgeOutcome.SLOW))


class Returned(Struct, frozen=True, gc=False):
    """A delivery that these connections do not get.

    `taken`: the edge said that it has it. `told`: the sender may have been told that it is safe,
    which an edge also does by itself for what `settles` one of its own messages.
    """

    delivery: Delivery
    conns: Sequence[int]
    taken: bool = False
    told: bool = False
    slow: bool = False


class InFlight:
    """Numbers the deliveries of one stream and takes in what the edge says of them."""

    def __init__(self) -> None:
        self._sent = 0
        self._taken = 0
        self._open: dict[int, Delivery] = {}
        # Connections from which a delivery came back: its letter stays in the mailbox.
        self._incomplete: dict[int, set[int]] = {}

    def send(self, deliveries: Sequence[Delivery]) -> int:
        """Note what leaves; returns the number of the first."""
        first = self._sent + 1
        self._sent += len(deliveries)
        self._open.update(enumerate(deliveries, first))
        return first

    def take(self, through: int) -> list[Relay]:
        """Note that the edge has everything up to `through`; returns the relays among it."""
        first, self._taken = self._taken + 1, max(self._taken, min(through, self._sent))
        get = self._open.get
        return _taken([get(ordinal) for ordinal in range(first, self._taken + 1)])

    def finish(self, done: Ranges) -> tuple[list[Relay], list[Delivery], list[Delivery]]:
        """Note what the edge is done with; returns the relays that it had not taken before.

        And the deliveries whose every receiver has them, and those that came back in part.
        Raises `ValueError` for ranges out of order.
        """
        pop, incomplete = self._open.pop, self._incomplete
        ended: list[Delivery] = []
        partly: list[Delivery] = []
        early: list[Delivery] = []
        for ordinal in list(covered(done, self._open)):
            delivery = pop(ordinal)
            if delivery.want and isinstance(delivery.origin, EdgeTracker):
                delivery.origin.done(back=incomplete.get(ordinal, ()))
            if ordinal > self._taken:
                early.append(delivery)
            if incomplete and ordinal in incomplete:
                del incomplete[ordinal]
                partly.append(delivery)
            else:
                ended.append(delivery)
        return _taken(early) if early else [], ended, partly

    def hear(self, outcomes: Outcomes) -> list[Returned]:
        """Take in outcomes; returns what was not delivered and may be elsewhere.

        Raises `ValueError` when the columns are not what they should be.
        """
        ordinals, conns, codes = outcomes.ordinals, outcomes.conns, outcomes.outcomes
        if not len(ordinals) == len(conns) == len(codes):
            text = f"{len(ordinals)} ordinals, {len(conns)} conns, {len(codes)} outcomes"
            raise ValueError(f"expected columns of one length, got {text}")
        if unknown := set(codes).difference(OF_BRIDGE):
            raise ValueError(f"expected 1 to {len(OF_BRIDGE)} as outcome, got {max(unknown)}")
        returned: list[Returned] = []
        start = 0
        for ordinal, run in groupby(ordinals):
            end = start + len(list(run))
            found = dict(zip(conns[start:end], codes[start:end], strict=True))
            start = end
            delivery = self._open.get(ordinal)
            if delivery is not None:
                returned += self._hear_of(ordinal, delivery, found)
        return returned

    def reclaim(self, conn: int) -> list[Returned]:
        """Take everything away from a connection that it is not known to have."""
        returned = []
        for ordinal, delivery in list(self._open.items()):
            if conn not in delivery.conns or not delivery.message.number:
                continue
            if conn in self._incomplete.get(ordinal, ()):
                continue
            returned.append(self._returned(ordinal, delivery, (conn,)))
            if len(delivery.conns) == 1:
                del self._open[ordinal]
            else:
                self._incomplete.setdefault(ordinal, set()).add(conn)
        return returned

    def lose(self) -> list[Returned]:
        """Give everything up."""
        lost = [
            self._returned(ordinal, delivery, self._still(ordinal, delivery.conns))
            for ordinal, delivery in self._open.items()
        ]
        self._open.clear()
        self._incomplete.clear()
        self._taken = self._sent
        return lost

    def _returned(
        self, ordinal: int, delivery: Delivery, conns: Sequence[int], slow: bool = False
    ) -> Returned:
        taken = ordinal <= self._taken
        return Returned(delivery, conns, taken, taken or delivery.settles > 0, slow)

    def _still(self, ordinal: int, conns: Sequence[int]) -> Sequence[int]:
        """Leave out the connections from which a delivery came back before."""
        back = self._incomplete.get(ordinal)
        return conns if back is None else [conn for conn in conns if conn not in back]

    def _hear_of(self, ordinal: int, delivery: Delivery, found: dict[int, int]) -> list[Returned]:
        returned: list[Returned] = []
        if delivery.message.number:
            for code in _RETURNED.intersection(found.values()):
                named = [conn for conn in found if found[conn] == code and conn in delivery.conns]
                conns = self._still(ordinal, named)
                slow = code == BridgeOutcome.SLOW
                if conns:
                    returned.append(self._returned(ordinal, delivery, conns, slow))
                self._incomplete.setdefault(ordinal, set()).update(conns)
                found = {conn: code for conn, code in found.items() if conn not in named}
        if found and isinstance(delivery.origin, EdgeTracker):
            delivery.origin.hear(found)
        return returned


def _taken(deliveries: Sequence[Delivery | None]) -> list[Relay]:
    relays = []
    for delivery in deliveries:
        if delivery is None:
            continue
        origin = delivery.origin
        if isinstance(origin, Relay):
            relays.append(origin)
        elif isinstance(origin, EdgeTracker):
            origin.taken(by_edge=True)
    return relays
