"""Deliveries that one edge has not answered for: pure, no clock, no I/O.

What nobody waits for is handled by the range: a relayed message is forgotten when it is taken,
and only deliveries whose outcome is wanted are kept by number until they are done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import groupby

from maim_protocol.frames import Outcomes, Ranges
from maim_protocol.ranges import covered
from maim_router.delivery import OF_BRIDGE, Share
from maim_router.events import Relay
from maim_router.outbound import Delivery, Flight


class InFlight:
    """Numbers the deliveries of one stream and takes in what the edge says of them."""

    def __init__(self) -> None:
        self._sent = 0
        self._taken = 0
        # From `_taken + 1` to `_sent`; None: the edge said that it was done before taken.
        self._untaken: deque[Flight | None] = deque()
        self._wanted: dict[int, Share] = {}

    def send(self, deliveries: Sequence[Delivery]) -> int:
        """Note what leaves; returns the number of the first."""
        first = self._sent + 1
        self._sent += len(deliveries)
        self._untaken.extend([delivery.flight for delivery in deliveries])
        for ordinal, delivery in enumerate(deliveries, first):
            if delivery.want and isinstance(delivery.flight, Share):
                self._wanted[ordinal] = delivery.flight
        return first

    def take(self, through: int) -> list[Relay]:
        """Note that the edge has everything up to `through`; returns the relays among it."""
        count = min(through, self._sent) - self._taken
        if count <= 0:
            return []
        self._taken += count
        pop = self._untaken.popleft
        return _taken([pop() for _ in range(count)])

    def finish(self, done: Ranges) -> list[Relay]:
        """Note what the edge is done with; returns the relays that it had not taken before.

        Raises `ValueError` for ranges out of order.
        """
        for ordinal in list(covered(done, self._wanted)):
            del self._wanted[ordinal]
        if not done or done[-1][1] <= self._taken:
            return []
        early: list[Flight | None] = []
        for ordinal in covered(done, range(self._taken + 1, self._sent + 1)):
            place = ordinal - self._taken - 1
            early.append(self._untaken[place])
            self._untaken[place] = None
        return _taken(early)

    def hear(self, outcomes: Outcomes) -> None:
        """Take in outcomes; raises `ValueError` when the columns are not what they should be."""
        ordinals, conns, codes = outcomes.ordinals, outcomes.conns, outcomes.outcomes
        if not len(ordinals) == len(conns) == len(codes):
            text = f"{len(ordinals)} ordinals, {len(conns)} conns, {len(codes)} outcomes"
            raise ValueError(f"expected columns of one length, got {text}")
        if unknown := set(codes).difference(OF_BRIDGE):
            raise ValueError(f"expected 1 to {len(OF_BRIDGE)} as outcome, got {max(unknown)}")
        start = 0
        for ordinal, run in groupby(ordinals):
            end = start + len(list(run))
            share = self._wanted.get(ordinal)
            if share is not None:
                share.hear(dict(zip(conns[start:end], codes[start:end], strict=True)))
            start = end

    def lose(self) -> list[Relay]:
        """Give everything up; returns the relays that were not taken."""
        flights = [*self._untaken, *self._wanted.values()]
        self._untaken.clear()
        self._wanted.clear()
        self._taken = self._sent
        return lost(flights)


def lost(flights: Sequence[Flight | None]) -> list[Relay]:
    """Tell the shares that their edge is lost; returns the relays."""
    for flight in flights:
        if isinstance(flight, Share):
            flight.lose()
    return [flight for flight in flights if isinstance(flight, Relay)]


def _taken(flights: Sequence[Flight | None]) -> list[Relay]:
    relays = [flight for flight in flights if isinstance(flight, Relay)]
    if len(relays) < len(flights):
        for flight in flights:
            if isinstance(flight, Share):
                flight.taken(by_edge=True)
    return relays
