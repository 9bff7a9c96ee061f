"""Hands messages to the edges that hold their receivers and gathers what became of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Literal

from maim_protocol.bridge import Want
from maim_router.bridge import (
    Delivery,
    DeliveryReport,
    DeliveryTracker,
    EdgeLink,
    Outcome,
    Outgoing,
    Returned,
)
from maim_router.connection_map import Audience
from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.delivery.redelivery import Redelivery
from maim_router.events import EdgeKey

WaitFor = Literal["written", "acked"]
DEFAULT_TIMEOUT = 10.0


class Sender:
    """Sends over the links of the attached edges; `link` looks one up."""

    def __init__(
        self,
        link: Callable[[EdgeKey], EdgeLink | None],
        mailbox_delivery: MailboxDelivery,
        redelivery: Redelivery,
    ) -> None:
        self.link = link
        self._mailbox_delivery = mailbox_delivery
        self._redelivery = redelivery

    def hand_out(
        self, message: Outgoing, to: Audience, tracker: DeliveryTracker, want: Want
    ) -> None:
        """Send a message to connections, once to each edge; the tracker hears of every one."""
        # Counted in until all edges are: a lost one must not look like the end of the message.
        tracker.expect()
        for part in to.parts:
            share = tracker.add_edge(part.uuids, want)
            link = self.link(part.edge)
            if link is not None:
                link.deliver(Delivery(message, part.conns, share, want))
            else:
                lost = Returned(Delivery(message, part.conns, share, want), part.conns)
                self._redelivery.take(part.edge, (lost,), time.time(), edge_lost=True)
        tracker.taken(by_edge=False)

    async def send(
        self, message: Outgoing, to: Audience, wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Send a message and wait for the last word on every connection.

        A connection that has not written it within `timeout` seconds counts as slow. Nobody is
        there: one with a number waits in the mailbox.
        """
        box = (message.target_user, message.platform)
        if message.number and (not to.uuids or box in self._mailbox_delivery.draining_boxes):
            return await self._leave(message, to, wait_for, timeout)
        want = Want.ACKED if wait_for == "acked" else Want.WRITTEN
        if want is Want.WRITTEN and not message.number:
            want = Want.PASSING
        tracker = DeliveryTracker()
        if want is Want.ACKED and message.number:
            self._mailbox_delivery.watch(message, tracker, want)
        try:
            self.hand_out(message, to, tracker, want)
            await self._wait(message, tracker, wait_for, timeout)
        finally:
            self._mailbox_delivery.unwatch(message)
        outcomes = dict.fromkeys(to.uuids, Outcome.SLOW)
        outcomes.update(tracker.outcomes)
        return self._report(message, outcomes, tracker.box)

    async def _leave(
        self, message: Outgoing, to: Audience, wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Leave a message in the mailbox, behind what is there."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        tracker = DeliveryTracker()
        if wait_for == "acked":
            self._mailbox_delivery.watch(message, tracker, Want.ACKED)
        try:
            self._mailbox_delivery.keep(message, partial(_answer, stored))
            if not await stored:
                # Whoever is there has not taken what was before it.
                return self._report(message, dict.fromkeys(to.uuids, Outcome.SLOW))
            if wait_for == "acked":
                await self._wait(message, tracker, wait_for, timeout, from_mailbox=True)
        finally:
            self._mailbox_delivery.unwatch(message)
        return self._report(message, tracker.outcomes, tracker.box or Outcome.QUEUED)

    async def _wait(
        self,
        message: Outgoing,
        tracker: DeliveryTracker,
        wait_for: WaitFor,
        timeout: float,
        *,
        from_mailbox: bool = False,
    ) -> None:
        """Wait for the last word; an acknowledgement may also come by way of the mailbox."""
        clock = asyncio.get_running_loop().time
        end, expires_at = clock() + timeout, self._mailbox_delivery.expires_at(message)
        if not from_mailbox:
            await tracker.wait(timeout)
            from_mailbox = wait_for == "acked" and tracker.queued
        while from_mailbox and (left := end - clock()) > 0:
            ttl = expires_at - time.time()
            known = await tracker.wait(min(left, ttl), for_box=True)
            if not known and ttl <= left and not tracker.open:
                self._mailbox_delivery.expire(expires_at)  # without any edge nobody else looks
            from_mailbox = known and tracker.queued

    def _report(
        self, message: Outgoing, outcomes: dict[str, Outcome], box: Outcome | None = None
    ) -> DeliveryReport:
        queued = box is not None or Outcome.QUEUED in outcomes.values()
        if box is Outcome.EXPIRED:
            outcomes = {
                uuid: box if outcome is Outcome.QUEUED else outcome
                for uuid, outcome in outcomes.items()
            }
        expires_at = self._mailbox_delivery.expires_at(message) if queued else 0.0
        return DeliveryReport(message.msg_id, message.target_user, outcomes, box, expires_at)


def _answer(waiting: asyncio.Future[bool], safe: bool) -> None:
    """Tell who may have given up waiting."""
    if not waiting.done():
        waiting.set_result(safe)
