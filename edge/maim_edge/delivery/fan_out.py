"""Hands the router's deliveries to their connections: encoded once, written once to each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maim_edge.bridge import Downlink, Receipt
from maim_edge.delivery.delivery_window import DeliveryWindow
from maim_edge.dialects import Delivery, Dialect, Pieces
from maim_protocol.bridge import BridgeOutcome, Deliveries, Transfers, Want


class Recipient(Protocol):
    """A client as delivery sees it."""

    dialect: Dialect

    @property
    def window(self) -> DeliveryWindow:
        """What it was delivered lately."""

    def write(self, data: bytes) -> bool:
        """Write a message now; False when it has to wait."""

    def deliver(self, pieces: Pieces, receipt: Receipt) -> None:
        """Let a message wait for its turn."""

    def probe(self) -> None:
        """Ask the client by a ping what it has read."""


class Recipients(Protocol):
    """Where clients are looked up by their handles."""

    def get(self, handle: int) -> Recipient | None:
        """Look one up."""


class FanOut:
    """Writes to whoever takes it now; the others get it when they do."""

    def __init__(self, connections: Recipients) -> None:
        self._connections = connections

    def deliver_all(self, columns: Deliveries, transfers: Transfers, downlink: Downlink) -> None:
        """Hand out each delivery of a frame, in order."""
        start = 0
        for row, ordinal in enumerate(columns.ordinals):
            fanout = columns.fanouts[row] if columns.fanouts else 1
            conns = columns.conns[start : start + fanout]
            start += fanout
            delivery = _delivery(columns, row, transfers)
            want = columns.wants[row] if columns.wants else Want.DONE
            if want == Want.PASSING:
                self._pass_on(delivery, ordinal, conns, downlink)
            else:
                self._deliver(delivery, ordinal, want, conns, downlink)

    def _deliver(
        self,
        delivery: Delivery,
        ordinal: int,
        want: int,
        conns: Sequence[int],
        downlink: Downlink,
    ) -> None:
        """Deliver what the router keeps until each client is known to have it."""
        downlink.take(ordinal, len(conns))
        encoded: list[tuple[Dialect, Pieces]] = []
        for conn in conns:
            connection = self._connections.get(conn)
            if connection is None:
                Receipt(downlink, ordinal, conn, want, delivery).failed(BridgeOutcome.GONE)
                continue
            window = connection.window
            receipt = window.expect(downlink, ordinal, conn, want, delivery)
            if receipt is None:
                continue
            pieces = _encoded(delivery, connection.dialect, encoded)
            if len(pieces) == 1 and connection.write(pieces[0]):
                receipt.written()
            else:
                connection.deliver(pieces, receipt)
            if window.needs_probe:
                connection.probe()

    def _pass_on(
        self, delivery: Delivery, ordinal: int, conns: Sequence[int], downlink: Downlink
    ) -> None:
        """Write what nobody keeps, to many: it is over when it is written."""
        encoded: list[tuple[Dialect, Pieces]] = []
        later: list[tuple[int, Recipient | None, Pieces]] = []
        for conn in conns:
            connection = self._connections.get(conn)
            if connection is None:
                later.append((conn, None, ()))
                continue
            pieces = _encoded(delivery, connection.dialect, encoded)
            if len(pieces) > 1 or not connection.write(pieces[0]):
                later.append((conn, connection, pieces))
        waiting = {conn for conn, _, _ in later}
        downlink.passed(ordinal, [conn for conn in conns if conn not in waiting], len(later))
        for conn, connection, pieces in later:
            receipt = Receipt(downlink, ordinal, conn, Want.PASSING, delivery)
            if connection is None:
                receipt.failed(BridgeOutcome.GONE)
            else:
                connection.deliver(pieces, receipt)


def _encoded(delivery: Delivery, dialect: Dialect, encoded: list[tuple[Dialect, Pieces]]) -> Pieces:
    """Encode a delivery, once for each dialect."""
    for known, pieces in encoded:
        if known is dialect:
            return pieces
    pieces = dialect.deliver(delivery)
    encoded.append((dialect, pieces))
    return pieces


def _delivery(columns: Deliveries, row: int, transfers: Transfers) -> Delivery:
    transfer = columns.transfers[row] if columns.transfers else 0
    payload = transfers.pieces(transfer) if transfer else (columns.payloads[row],)
    return Delivery(
        msg_id=columns.msg_ids[row],
        type=columns.types[row],
        sender_user=columns.sender_users[row],
        sender_platform=columns.sender_platforms[row],
        target_user=columns.target_users[row],
        platform=columns.platforms[row],
        timestamp=columns.timestamps[row],
        payload=payload,
        number=columns.numbers[row] if columns.numbers else 0,
        size=sum(map(len, payload)) if transfer else len(payload[0]),
    )
