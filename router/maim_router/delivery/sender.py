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
    EdgeLink,
    Ledger,
    Outcome,
    Outgoing,
    Returned,
)
from maim_router.connection_map import Audience
from maim_router.delivery.mailbox_delivery import Post
from maim_router.delivery.redelivery import Returns
from maim_router.events import EdgeKey

WaitFor = Literal["written", "acked"]
DEFAULT_TIMEOUT = 10.0


class Sender:
    """Sends over the links of the attached edges; `link` looks one up."""

    def __init__(
        self, link: Callable[[EdgeKey], EdgeLink | None], post: Post, returns: Returns
    ) -> None:
        self.link = link
        self._post = post
        self._returns = returns

    def hand_out(self, message: Outgoing, to: Audience, ledger: Ledger, want: Want) -> None:
        """Send a message to connections, once to each edge; the ledger hears of every one."""
        # Counted in until all edges are: a lost one must not look like the end of the message.
        ledger.expect()
        for part in to.parts:
            share = ledger.share(part.uuids, want)
            link = self.link(part.edge)
            if link is not None:
                link.deliver(Delivery(message, part.conns, share, want))
            else:
                lost = Returned(Delivery(message, part.conns, share, want), part.conns)
                self._returns.take(part.edge, (lost,), time.time(), edge_lost=True)
        ledger.taken(by_edge=False)

    async def send(
        self, message: Outgoing, to: Audience, wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Send a message and wait for the last word on every connection.

        A connection that has not written it within `timeout` seconds counts as slow. Nobody is
        there: one with a number waits in the mailbox.
        """
        box = (message.target_user, message.platform)
        if message.number and (not to.uuids or box in self._post.emptying):
            return await self._leave(message, to, wait_for, timeout)
        want = Want.ACKED if wait_for == "acked" else Want.WRITTEN
        if want is Want.WRITTEN and not message.number:
            want = Want.PASSING
        ledger = Ledger()
        if want is Want.ACKED and message.number:
            self._post.watch(message, ledger, want)
        try:
            self.hand_out(message, to, ledger, want)
            await self._wait(message, ledger, wait_for, timeout)
        finally:
            self._post.unwatch(message)
        outcomes = dict.fromkeys(to.uuids, Outcome.SLOW)
        outcomes.update(ledger.outcomes)
        return self._report(message, outcomes, ledger.box)

    async def _leave(
        self, message: Outgoing, to: Audience, wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Leave a message in the mailbox, behind what is there."""
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        ledger = Ledger()
        if wait_for == "acked":
            self._post.watch(message, ledger, Want.ACKED)
        try:
            self._post.keep(message, partial(_answer, stored))
            if not await stored:
                # Whoever is there has not taken what was before it.
                return self._report(message, dict.fromkeys(to.uuids, Outcome.SLOW))
            if wait_for == "acked":
                await self._wait(message, ledger, wait_for, timeout, boxed=True)
        finally:
            self._post.unwatch(message)
        return self._report(message, ledger.outcomes, ledger.box or Outcome.QUEUED)

    async def _wait(
        self,
        message: Outgoing,
        ledger: Ledger,
        wait_for: WaitFor,
        timeout: float,
        *,
        boxed: bool = False,
    ) -> None:
        """Wait for the last word; an acknowledgement may also come by way of the mailbox."""
        clock = asyncio.get_running_loop().time
        end, expires_at = clock() + timeout, self._post.expires_at(message)
        if not boxed:
            await ledger.wait(timeout)
            boxed = wait_for == "acked" and ledger.boxed
        while boxed and (left := end - clock()) > 0:
            ttl = expires_at - time.time()
            known = await ledger.wait(min(left, ttl), for_box=True)
            if not known and ttl <= left and not ledger.open:
                self._post.expire(expires_at)  # without any edge nobody else looks
            boxed = known and ledger.boxed

    def _report(
        self, message: Outgoing, outcomes: dict[str, Outcome], box: Outcome | None = None
    ) -> DeliveryReport:
        queued = box is not None or Outcome.QUEUED in outcomes.values()
        if box is Outcome.EXPIRED:
            outcomes = {
                uuid: box if outcome is Outcome.QUEUED else outcome
                for uuid, outcome in outcomes.items()
            }
        expires_at = self._post.expires_at(message) if queued else 0.0
        return DeliveryReport(message.msg_id, message.target_user, outcomes, box, expires_at)


def _answer(waiting: asyncio.Future[bool], safe: bool) -> None:
    """Tell who may have given up waiting."""
    if not waiting.done():
        waiting.set_result(safe)
