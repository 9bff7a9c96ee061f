"""Hands messages to the edges that hold their receivers and gathers what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from maim_protocol.frames import Want
from maim_router.connection_map import Entry
from maim_router.delivery import DeliveryReport, Ledger, Outcome
from maim_router.edge_link import EdgeLink, Outgoing
from maim_router.events import EdgeKey

WaitFor = Literal["written", "acked"]
DEFAULT_TIMEOUT = 10.0
_WANTS = {"written": Want.WRITTEN, "acked": Want.ACKED}


class Sender:
    """Sends over the links of the attached edges."""

    def __init__(self, link: Callable[[EdgeKey], EdgeLink | None]) -> None:
        self._link = link

    def hand_out(
        self, message: Outgoing, entries: Iterable[Entry], ledger: Ledger, want: Want
    ) -> None:
        """Send a message to connections, once to each edge; the ledger hears of every one."""
        by_edge: dict[EdgeKey, dict[int, str]] = {}
        for entry in entries:
            by_edge.setdefault(entry.address.edge, {})[entry.address.conn] = entry.uuid
        # Counted in until all edges are: a lost one must not look like the end of the message.
        ledger.expect()
        for edge, uuids in by_edge.items():
            ledger.expect(uuids.values() if want else ())
            link = self._link(edge)
            if link is not None:
                link.deliver(message, uuids, ledger, want)
                continue
            ledger.taken(by_edge=False)
            for uuid in uuids.values():
                ledger.lose(uuid)
        ledger.taken(by_edge=False)

    async def send(
        self, message: Outgoing, entries: Iterable[Entry], wait_for: WaitFor, timeout: float
    ) -> DeliveryReport:
        """Send a message and wait for the last word on every connection.

        A connection that has not written it within `timeout` seconds counts as slow.
        """
        entries = list(entries)
        ledger = Ledger()
        self.hand_out(message, entries, ledger, _WANTS[wait_for])
        await ledger.wait(timeout)
        outcomes = {e.uuid: ledger.outcomes.get(e.uuid, Outcome.SLOW) for e in entries}
        return DeliveryReport(message.msg_id, message.target_user, outcomes)
