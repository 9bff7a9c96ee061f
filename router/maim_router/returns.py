"""Decides what becomes of deliveries that came back from an edge or a connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial

from maim_protocol.errors import AttachProblem, AttachRefused, ErrorCode
from maim_protocol.frames import Deliveries
from maim_router import events as ev
from maim_router.delivery import Outcome, Share
from maim_router.edge_link import EdgeLink
from maim_router.events import Address, EdgeKey, Relay
from maim_router.in_flight import Returned
from maim_router.outbound import Delivery, Outgoing
from maim_router.post import Post

log = logging.getLogger(__name__)

FULL = "the mailbox of the receiver is full"


class Returns:
    """Puts what must not be lost into the mailbox, and tells whoever waits for it."""

    def __init__(self, post: Post, report: Callable[[ev.Settled | ev.Failed], None]) -> None:
        self._post = post
        self._report = report

    def take(
        self, edge: EdgeKey, returned: Iterable[Returned], now: float, edge_lost: bool = False
    ) -> None:
        """Take deliveries back from an edge, in order; `now` in Unix seconds."""
        for one in returned:
            if one.delivery.message.number:
                self._put_back(edge, one, now, edge_lost)
            elif isinstance(one.delivery.flight, Share):
                one.delivery.flight.lose()

    def take_one(self, edge: EdgeKey, returned: Returned) -> None:
        """Take one delivery back, now."""
        self.take(edge, (returned,), time.time())

    def given_back(self, link: EdgeLink, columns: Deliveries, now: float) -> None:
        """Take deliveries that an earlier stream, or another router, left at an edge.

        Raises `AttachRefused` when the columns do not fit together.
        """
        try:
            rows = _rows(columns)
        except ValueError as error:
            text = f"malformed frame: given_back: {error}"
            raise AttachRefused(AttachProblem.PROTOCOL, text) from None
        for ordinal, conn, message in rows:
            delivery = Delivery(message, (conn,), None)
            back = (Address(link.key, conn),)
            keep = partial(_keep, link, ordinal)
            self._post.put_back(delivery, back, keep, now, acknowledged=True)

    def _put_back(self, edge: EdgeKey, one: Returned, now: float, edge_lost: bool) -> None:
        flight = one.delivery.flight
        told = one.taken or not isinstance(flight, Relay)

        def on_stored(stored: bool) -> None:
            if told and not stored and self._post.mailbox is not None:
                log.error("a message that was acknowledged could not be kept")
            if isinstance(flight, Relay):
                self._relay_ended(flight, one, stored)
            elif isinstance(flight, Share):
                if not one.taken:
                    flight.taken(by_edge=stored)
                flight.end(one.conns, _outcome(one, stored, edge_lost))

        back = [Address(edge, conn) for conn in one.conns]
        self._post.put_back(one.delivery, back, on_stored, now, acknowledged=told)

    def _relay_ended(self, relay: Relay, one: Returned, stored: bool) -> None:
        if one.taken:
            return
        if stored:
            self._report(ev.Settled((relay,)))
        else:
            code = ErrorCode.NO_ROUTE if self._post.mailbox is None else ErrorCode.MAILBOX_FULL
            text = "the receiver was lost" if self._post.mailbox is None else FULL
            self._report(ev.Failed(relay, code, text))


def _rows(columns: Deliveries) -> list[tuple[int, int, Outgoing]]:
    rows = zip(
        columns.msg_ids,
        columns.types,
        columns.payloads,
        columns.timestamps,
        columns.sender_users,
        columns.sender_platforms,
        columns.target_users,
        columns.platforms,
        columns.numbers,
        strict=True,
    )
    messages = [Outgoing(*row) for row in rows]
    return list(zip(columns.ordinals, columns.conns, messages, strict=True))


def _keep(link: EdgeLink, ordinal: int, stored: bool) -> None:
    """Answer the edge, also when nothing can be kept: it would ask for ever."""
    link.keep(ordinal)


def _outcome(one: Returned, stored: bool, edge_lost: bool) -> Outcome:
    if stored:
        return Outcome.QUEUED
    if edge_lost:
        return Outcome.EDGE_UNREACHABLE
    return Outcome.SLOW if one.slow else Outcome.NO_CONNECTION
