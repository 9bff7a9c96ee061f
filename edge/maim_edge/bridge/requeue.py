"""Deliveries of lost streams that their clients did not get: given to the next router. Pure.

Who sent them has lost them: its stream broke, and the router at the other end of the next one
may be another. They are kept here until a router says that it has them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from maim_edge.bridge.downlink import Receipt
from maim_protocol.bridge import (
    FRAME_BYTES,
    FRAME_MESSAGES,
    Deliveries,
    EdgeFrame,
    Live,
    Ranges,
    Want,
    covered,
)

log = logging.getLogger(__name__)

# A larger one does not fit into a frame.
MOST_BYTES = 48 << 20


class RequeueBuffer:
    """Numbered in the order in which they came back; a new stream begins with the oldest.

    `live` tells what a router admitted of a connection.
    """

    def __init__(self, live: Callable[[int], Live | None]) -> None:
        self._live = live
        self._kept: dict[int, tuple[Receipt, Live]] = {}
        self._ordinal = 0
        self._sent = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def pending(self) -> bool:
        """Whether there is anything that this stream was not told."""
        return bool(self._kept) and self._sent < self._ordinal

    def add(self, receipt: Receipt) -> None:
        """Keep what a client did not get, and who that is; what nobody keeps is let go."""
        live = self._live(receipt.conn)
        if live is None or receipt.want == Want.PASSING or not receipt.delivery.number:
            return
        if receipt.size > MOST_BYTES:
            log.error("a delivery of %d bytes was lost with its router", receipt.size)
            return
        self._ordinal += 1
        self._kept[self._ordinal] = (receipt, live)

    def restart(self) -> None:
        """Begin a new stream: everything is sent again."""
        self._sent = 0

    def kept(self, ranges: Ranges) -> None:
        """Forget what a router has."""
        for ordinal in list(covered(ranges, self._kept)):
            del self._kept[ordinal]

    def gather(self) -> EdgeFrame:
        """Take what this stream was not told and fits into one frame."""
        columns, owners, size = Deliveries(), dict[int, Live](), 0
        for ordinal, (receipt, live) in self._kept.items():
            if ordinal <= self._sent:
                continue
            if columns.ordinals and (
                size + receipt.size > FRAME_BYTES or len(columns.ordinals) >= FRAME_MESSAGES
            ):
                break
            size += receipt.size
            self._sent = ordinal
            _append(columns, ordinal, receipt)
            owners[receipt.conn] = live
        return EdgeFrame(given_back=columns, given_back_from=list(owners.values()))


def _append(columns: Deliveries, ordinal: int, receipt: Receipt) -> None:
    delivery = receipt.delivery
    columns.ordinals.append(ordinal)
    columns.conns.append(receipt.conn)
    columns.msg_ids.append(delivery.msg_id)
    columns.types.append(delivery.type)
    columns.sender_users.append(delivery.sender_user)
    columns.sender_platforms.append(delivery.sender_platform)
    columns.target_users.append(delivery.target_user)
    columns.platforms.append(delivery.platform)
    columns.timestamps.append(delivery.timestamp)
    columns.payloads.append(_joined(delivery.payload))
    columns.numbers.append(delivery.number)


def _joined(pieces: Sequence[bytes]) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
