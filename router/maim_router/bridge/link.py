"""One attached edge as the router sees it: what it says, and what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, structs

from maim_protocol.bridge import (
    Admission,
    DisconnectOrder,
    DrainOrder,
    EdgeFrame,
    EdgeMessages,
    EdgeStream,
    Hello,
    Refused,
    Rejection,
    RouterFrame,
    Transfers,
    Verdict,
    Welcome,
    to_ranges,
)
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.bridge.edge_status import EdgeStatus
from maim_router.bridge.in_flight import InFlight, Returned
from maim_router.bridge.outbound import Close, Delivery, Outbound
from maim_router.bridge.prefetch import prefetch_for
from maim_router.events import EdgeKey, Inbound, Relay
from maim_runtime.pump import Pump

# What one connection may have on its way, or waiting, before it counts as a slow consumer. Its
# edge closes it long before, unless it is the edge that does not read.
CREDIT_BYTES = 256 << 20
# What a message takes besides its payload, about.
MESSAGE_BYTES = 500


class Reports(Struct, gc=False):
    """What a frame says of earlier deliveries."""

    taken: Sequence[Relay] = ()
    returned: Sequence[Returned] = ()
    arrived: Sequence[Delivery] = ()


class EdgeLink:
    """The stream to one edge. `run` sends what has gathered; the welcome goes first and alone.

    `lost` is set when the edge was given up: its stream ends then. `on_slow` hears of a connection
    for which more waits than its credit, `on_gone` of what was for one that has just closed.
    """

    def __init__(
        self,
        hello: Hello,
        attached_at: float,
        stream: EdgeStream,
        on_slow: Callable[[int], None],
        on_gone: Callable[[Returned], None],
    ) -> None:
        # Connections that are closed and may still be in the map.
        self.gone: set[int] = set()
        self._on_slow = on_slow
        self._on_gone = on_gone
        self.key = EdgeKey(hello.edge_id, hello.epoch)
        self.address = hello.address
        self.prefetch = prefetch_for(hello.outbox_bytes, hello.outbox_messages)
        self.attached_at = attached_at
        self.deliveries = 0
        self.lost = asyncio.Event()
        self.status = EdgeStatus()
        self._transfers = Transfers()
        self._welcome: Welcome | None = None
        self._welcomed = False
        self._verdicts: list[Verdict] = []
        self._settled: list[int] = []
        self._rejections: list[Rejection] = []
        self._kept: list[int] = []
        self._drain: DrainOrder | None = None
        self._outbound = Outbound()
        self._in_flight = InFlight()
        self._unconfirmed_bytes: dict[int, int] = {}
        # Whether the pump knows that there is something: one call of it for all that gathers.
        self._awake = False
        self._pump = Pump(self, stream)
        self.run = self._pump.run
        self.idle = self._pump.idle

    def welcome(self, router_id: str) -> None:
        """Tell the edge that it is attached and its connections are in the map."""
        self._welcome = Welcome(router_id)
        self._wake()

    def answer(self, conn: int, answer: Admission | Refused) -> None:
        """Tell the edge whether a connection is let in."""
        self._verdicts.append(Verdict(conn, answer))
        self._wake()

    def settle(self, ordinals: Iterable[int]) -> None:
        """Tell the edge that messages are settled."""
        self._settled.extend(ordinals)
        self._wake()

    def reject(self, ordinal: int, code: str, text: str) -> None:
        """Tell the edge that a message was not taken."""
        self._rejections.append(Rejection(ordinal, code, text))
        self._wake()

    def keep(self, ordinal: int) -> None:
        """Tell the edge that what it gave back is safe."""
        self._kept.append(ordinal)
        self._wake()

    def disconnect(self, conn: int, code: int, reason: str) -> None:
        """Tell the edge to close a connection, after what was sent to it before."""
        self._outbound.push(Close(DisconnectOrder(conn, code, reason)))
        self._wake()

    def drain(self, window_seconds: float) -> None:
        """Tell the edge to drain; 0 seconds: as its own settings say."""
        self._drain = DrainOrder(window_seconds)
        self._wake()

    def deliver(self, delivery: Delivery) -> None:
        """Send a message to connections of this edge."""
        if self.gone and not self.gone.isdisjoint(delivery.conns):
            delivery = self._without_gone(delivery)
        conns = delivery.conns
        if not conns:
            return
        self.deliveries += len(conns)
        if delivery.message.number:
            size, unconfirmed = len(delivery.payload) + MESSAGE_BYTES, self._unconfirmed_bytes
            for conn in conns:
                total = unconfirmed[conn] = unconfirmed.get(conn, 0) + size
                if total > CREDIT_BYTES:
                    self._on_slow(conn)
        self._outbound.push(delivery)
        self._wake()

    def reclaim(self, conn: int) -> Sequence[Returned]:
        """Take everything away from a connection that it is not known to have, in order."""
        self._unconfirmed_bytes.pop(conn, None)
        waiting = self._outbound.reclaim(conn)
        return [
            *self._in_flight.reclaim(conn),
            *[Returned(delivery, (conn,)) for delivery in waiting],
        ]

    def has_unconfirmed(self, conn: int) -> bool:
        """Whether a connection is not known to have everything that must not be lost."""
        return self._unconfirmed_bytes.get(conn, 0) > 0

    def messages(self, frame: EdgeFrame) -> Sequence[Inbound]:
        """Read the messages of a frame.

        Raises `AttachRefused` when the columns do not fit together.
        """
        try:
            self._transfers.add(frame.chunks)
            return self._rows(frame.messages) if frame.messages is not None else ()
        except (KeyError, ValueError) as error:
            raise _malformed("messages", error) from None

    def gather(self) -> RouterFrame | None:
        """Take what fits into one frame, the welcome alone; None when there is nothing."""
        if not self._welcomed:
            self._welcomed = self._welcome is not None
            self._awake = self.has_more()
            return RouterFrame(welcome=self._welcome) if self._welcomed else None
        if not self.has_more():
            self._awake = False
            return None
        frame = RouterFrame(verdicts=self._verdicts, rejections=self._rejections)
        frame.drain, self._drain = self._drain, None
        frame.settled, frame.kept = to_ranges(self._settled), to_ranges(self._kept)
        self._verdicts, self._settled, self._rejections, self._kept = [], [], [], []
        taken = self._outbound.take()
        if taken.deliveries:
            frame.deliveries = taken.columns(self._in_flight.send(taken.deliveries))
        frame.chunks, frame.disconnects = taken.chunks, taken.disconnects
        self._awake = bool(self._outbound)
        return frame

    def has_more(self) -> bool:
        """Whether there is anything to gather behind the welcome."""
        answers = self._verdicts or self._settled or self._rejections or self._kept
        return self._welcomed and bool(answers or self._drain or self._outbound)

    def on_reports(self, frame: EdgeFrame) -> Reports:
        """Take in what an edge says of earlier deliveries; raises `AttachRefused`."""
        self.status.hear(frame)
        reports = Reports()
        if frame.taken_through:
            reports.taken = self._in_flight.take(frame.taken_through)
        if frame.outcomes is not None:
            try:
                reports.returned = self._in_flight.hear(frame.outcomes)
            except ValueError as error:
                raise _malformed("outcomes", error) from None
        if frame.done:
            try:
                early, ended, partly = self._in_flight.finish(frame.done)
            except ValueError as error:
                raise _malformed("done", error) from None
            if early:
                reports.taken = [*reports.taken, *early]
            reports.arrived = self._release_credit(ended)
            self._release_credit(partly)
        return reports

    def lose(self) -> Sequence[Returned]:
        """Give up everything that the edge is not done with, in order."""
        self.lost.set()
        waiting = self._outbound.drain()
        return [
            *self._in_flight.lose(),
            *[Returned(delivery, delivery.conns) for delivery in waiting],
        ]

    def _without_gone(self, delivery: Delivery) -> Delivery:
        """Return a delivery, as if by the edge, from connections that the map still names."""
        gone = [conn for conn in delivery.conns if conn in self.gone]
        here = [conn for conn in delivery.conns if conn not in self.gone]
        self._on_gone(Returned(delivery, gone))
        return structs.replace(delivery, conns=here)

    def _release_credit(self, ended: Sequence[Delivery]) -> Sequence[Delivery]:
        """Give the credit of deliveries back; returns those that came from the mailbox."""
        unconfirmed = self._unconfirmed_bytes
        boxed = []
        for delivery in ended:
            if not delivery.message.number:
                continue
            if delivery.from_mailbox:
                boxed.append(delivery)
            size = len(delivery.payload) + MESSAGE_BYTES
            for conn in delivery.conns:
                if conn in unconfirmed:
                    unconfirmed[conn] -= size
        return boxed

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            self._pump.wake()

    def _rows(self, columns: EdgeMessages) -> list[Inbound]:
        rows = zip(
            columns.ordinals,
            columns.conns,
            columns.msg_ids,
            columns.types,
            columns.target_keys,
            columns.target_platforms,
            columns.payloads,
            strict=True,
        )
        if not columns.transfers:
            return [Inbound(*row) for row in rows]
        messages = []
        for row, transfer in zip(rows, columns.transfers, strict=True):
            whole = (*row[:-1], self._transfers.finish(transfer)) if transfer else row
            messages.append(Inbound(*whole))
        return messages


def _malformed(part: str, error: Exception) -> AttachRefused:
    text = f"malformed frame: {part}: {type(error).__name__}: {error}"
    return AttachRefused(AttachProblem.PROTOCOL, text)
