"""Hands messages to the edges that hold their receivers and gathers what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from maim_protocol.frames import Want
from maim_router.connection_map import Audience
from maim_router.delivery import DeliveryReport, Ledger, Outcome
from maim_router.edge_link import EdgeLink
from maim_router.events import EdgeKey
from maim_router.outbound import Delivery, Outgoing

WaitFor = Literal["written", "acked"]
DEFAULT_TIMEOUT = 10.0
_WANTS = {"written": Want.WRITTEN, "acked": Want.ACKED}


class Sender:
    """Sends over the links of the attached edges; `link` looks one up."""

    def __init__(self, link: Callable[[EdgeKey], EdgeLink | None]) -> None:
        self.link = link

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
                share.lose()
        ledger.taken(by_edge=False)

    async def send(
        self, message: Outgoing, to: Audience, wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Send a message and wait for the last word on every connection.

        A connection that has not written it within `timeout` seconds counts as slow.
        """
        ledger = Ledger()
        self.hand_out(message, to, ledger, _WANTS[wait_for])
        await ledger.wait(timeout)
        outcomes = dict.fromkeys(to.uuids, Outcome.SLOW)
        outcomes.update(ledger.outcomes)
        return DeliveryReport(message.msg_id, message.target_user, outcomes)
