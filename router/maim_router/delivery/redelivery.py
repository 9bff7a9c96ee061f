"""Decides what becomes of deliveries that came back from an edge or a connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from maim_router import events as ev
from maim_router.bridge import EdgeTracker, Outcome, Returned
from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.events import Address, EdgeKey, Relay

log = logging.getLogger(__name__)


class Redelivery:
    """Puts what must not be lost into the mailbox, and tells whoever waits for it."""

    def __init__(
        self, mailbox_delivery: MailboxDelivery, report: Callable[[ev.Settled | ev.Failed], None]
    ) -> None:
        self._mailbox_delivery = mailbox_delivery
        self._report = report

    def take(
        self, edge: EdgeKey, returned: Iterable[Returned], now: float, edge_lost: bool = False
    ) -> None:
        """Take deliveries back from an edge, in order; `now` in Unix seconds."""
        for one in returned:
            if one.delivery.message.number:
                self._requeue_one(edge, one, now, edge_lost)
            elif isinstance(one.delivery.origin, EdgeTracker):
                one.delivery.origin.lose()

    def take_one(self, edge: EdgeKey, returned: Returned) -> None:
        """Take one delivery back, now."""
        self.take(edge, (returned,), time.time())

    def _requeue_one(self, edge: EdgeKey, one: Returned, now: float, edge_lost: bool) -> None:
        origin = one.delivery.origin
        told = one.told or not isinstance(origin, Relay)

        def on_stored(stored: bool) -> None:
            if told and not stored and self._mailbox_delivery.mailbox is not None:
                log.error("a message that was acknowledged could not be kept")
            if isinstance(origin, Relay):
                self._relay_ended(origin, one, stored)
            elif isinstance(origin, EdgeTracker):
                if not one.taken:
                    origin.taken(by_edge=stored)
                origin.end(one.conns, _outcome(one, stored, edge_lost))

        back = [Address(edge, conn) for conn in one.conns]
        self._mailbox_delivery.requeue(one.delivery, back, on_stored, now, acknowledged=told)

    def _relay_ended(self, relay: Relay, one: Returned, stored: bool) -> None:
        if one.taken:
            return
        if stored:
            self._report(ev.Settled((relay,)))
        else:
            code, text = self._mailbox_delivery.why_not("the receiver was lost")
            self._report(ev.Failed(relay, code, text))


def _outcome(one: Returned, stored: bool, edge_lost: bool) -> Outcome:
    if stored:
        return Outcome.QUEUED
    if edge_lost:
        return Outcome.EDGE_UNREACHABLE
    return Outcome.SLOW if one.slow else Outcome.NO_CONNECTION
