"""Takes what edges give back: deliveries of an earlier stream, perhaps of another router."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from maim_protocol.bridge import Deliveries, Live, Open
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.auth import Signer
from maim_router.bridge import Delivery, EdgeLink, Outgoing
from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.events import Address, EdgeKey

log = logging.getLogger(__name__)

# Finds out whose connection it was, empty when nobody's, and calls back.
Identify = Callable[[EdgeKey, Open, Callable[[str], None]], None]


class Requeue:
    """An edge gives back only what was for users who were connected there.

    It shows what a router admitted, with that router's proof; where this one cannot check it, the
    credential is authenticated again. So a forged delivery reaches nobody whom the edge could
    not have written to itself.
    """

    def __init__(
        self, mailbox_delivery: MailboxDelivery, signer: Signer, identify: Identify
    ) -> None:
        self._mailbox_delivery = mailbox_delivery
        self._signer = signer
        self._identify = identify

    def take(self, link: EdgeLink, columns: Deliveries, owners: Sequence[Live]) -> None:
        """Take deliveries in, each when it is known whose its connection was.

        Raises `AttachRefused` when the columns do not fit together.
        """
        try:
            rows = _by_conn(columns)
        except ValueError as error:
            text = f"malformed frame: given_back: {error}"
            raise AttachRefused(AttachProblem.PROTOCOL, text) from None
        known = {live.open.conn: live for live in owners}
        for conn, messages in rows.items():
            live = known.get(conn)
            platform = live.open.platform if live is not None else ""
            keep = partial(self._keep, link, conn, platform, messages)
            if live is None:
                keep("")
            elif self._signer.verifies(link.key, live):
                keep(live.admission.user_id)
            else:
                self._identify(link.key, live.open, keep)

    def _keep(
        self,
        link: EdgeLink,
        conn: int,
        platform: str,
        messages: Sequence[tuple[int, Outgoing]],
        user_id: str,
    ) -> None:
        back = (Address(link.key, conn),)
        for ordinal, message in messages:
            if user_id and (message.target_user, message.platform) == (user_id, platform):
                delivery, answer = Delivery(message, (conn,), None), partial(_answer, link, ordinal)
                self._mailbox_delivery.requeue(
                    delivery, back, answer, time.time(), acknowledged=True
                )
            else:
                log.warning("edge %s gave back what was not for its client", link.key.edge_id)
                link.keep(ordinal)


def _answer(link: EdgeLink, ordinal: int, stored: bool) -> None:
    """Answer also when it could not be stored: the edge would ask for ever."""
    link.keep(ordinal)


def _by_conn(columns: Deliveries) -> dict[int, list[tuple[int, Outgoing]]]:
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
    found: dict[int, list[tuple[int, Outgoing]]] = {}
    for conn, ordinal, message in zip(columns.conns, columns.ordinals, messages, strict=True):
        found.setdefault(conn, []).append((ordinal, message))
    return found
