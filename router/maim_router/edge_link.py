"""One attached edge as the router sees it: what waits to be sent, what is in flight there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maim_protocol.errors import AttachProblem, AttachRefused
from maim_protocol.frames import (
    Admission,
    BridgeOutcome,
    Deliveries,
    DisconnectOrder,
    EdgeFrame,
    EdgeMessages,
    EdgeStream,
    Outcomes,
    Refused,
    Rejection,
    RouterFrame,
    Verdict,
    Want,
    Welcome,
)
from maim_protocol.lanes import Lanes
from maim_protocol.pump import Pump
from maim_protocol.ranges import covered, to_ranges
from maim_protocol.transfers import Transfers
from maim_router.delivery import OF_BRIDGE, Ledger
from maim_router.events import EdgeKey, Inbound


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to clients; `payload` is a JSON object in UTF-8."""

    msg_id: str
    type: str
    payload: bytes
    timestamp: float
    sender_user: str
    sender_platform: str = ""
    target_user: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class _Delivery:
    message: Outgoing
    uuids: Mapping[int, str]
    ledger: Ledger
    want: Want

    @property
    def conns(self) -> Sequence[int]:
        return list(self.uuids)

    @property
    def payload(self) -> bytes:
        return self.message.payload


@dataclass(frozen=True, slots=True)
class _Disconnect:
    """A close waits behind the messages that were sent to the connection before it."""

    order: DisconnectOrder

    @property
    def conns(self) -> Sequence[int]:
        return (self.order.conn,)

    @property
    def payload(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _InFlight:
    uuids: Mapping[int, str]
    ledger: Ledger
    want: Want


class EdgeLink:
    """The stream to one edge. `run` sends what has gathered; the welcome goes first and alone.

    `lost` is set when the edge was given up: its stream ends then.
    """

    def __init__(self, key: EdgeKey, address: str, attached_at: float, stream: EdgeStream) -> None:
        self.key = key
        self.address = address
        self.attached_at = attached_at
        self.deliveries = 0
        self.lost = asyncio.Event()
        self._transfers = Transfers()
        self._welcome: Welcome | None = None
        self._welcomed = False
        self._verdicts: list[Verdict] = []
        self._settled: list[int] = []
        self._rejections: list[Rejection] = []
        self._lanes: Lanes[_Delivery | _Disconnect] = Lanes()
        self._in_flight: dict[int, _InFlight] = {}
        self._ordinal = 0
        self._taken = 0
        self._pump = Pump(self, stream)
        self.run = self._pump.run
        self.idle = self._pump.idle

    def welcome(self, router_id: str) -> None:
        """Tell the edge that it is attached and its connections are in the map."""
        self._welcome = Welcome(router_id)
        self._pump.wake()

    def answer(self, conn: int, answer: Admission | Refused) -> None:
        """Tell the edge whether a connection is let in."""
        self._verdicts.append(Verdict(conn, answer))
        self._pump.wake()

    def settle(self, ordinal: int) -> None:
        """Tell the edge that a message is settled."""
        self._settled.append(ordinal)
        self._pump.wake()

    def reject(self, ordinal: int, code: str, text: str) -> None:
        """Tell the edge that a message was not taken."""
        self._rejections.append(Rejection(ordinal, code, text))
        self._pump.wake()

    def disconnect(self, conn: int, code: int, reason: str) -> None:
        """Tell the edge to close a connection, after what was sent to it before."""
        self._lanes.push(_Disconnect(DisconnectOrder(conn, code, reason)))
        self._pump.wake()

    def deliver(
        self, message: Outgoing, uuids: Mapping[int, str], ledger: Ledger, want: Want
    ) -> None:
        """Send a message to connections of this edge (handle → connection id)."""
        self.deliveries += len(uuids)
        self._lanes.push(_Delivery(message, uuids, ledger, want))
        self._pump.wake()

    def messages(self, frame: EdgeFrame) -> list[tuple[int, Inbound]]:
        """Read the messages of a frame, each with its sender's handle.

        Raises `AttachRefused` when the columns do not fit together.
        """
        try:
            self._transfers.add(frame.chunks)
            return list(self._rows(frame.messages)) if frame.messages is not None else []
        except (KeyError, ValueError) as error:
            raise _malformed("messages", error) from None

    def gather(self) -> RouterFrame | None:
        """Take what fits into one frame, the welcome alone; None when there is nothing."""
        if not self._welcomed:
            self._welcomed = self._welcome is not None
            return RouterFrame(welcome=self._welcome) if self._welcomed else None
        if not self.has_more():
            return None
        frame = RouterFrame(verdicts=self._verdicts, rejections=self._rejections)
        frame.settled = to_ranges(self._settled)
        self._verdicts, self._settled, self._rejections = [], [], []
        frame.chunks, items = self._lanes.take()
        disconnects: list[DisconnectOrder] = []
        for item, transfer in items:
            if isinstance(item, _Disconnect):
                disconnects.append(item.order)
                continue
            if frame.deliveries is None:
                frame.deliveries = Deliveries()
            self._append(frame.deliveries, item, transfer)
        frame.disconnects = disconnects
        return frame

    def has_more(self) -> bool:
        """Whether there is anything to gather behind the welcome."""
        waits = self._verdicts or self._settled or self._rejections or self._lanes
        return self._welcomed and bool(waits)

    def _rows(self, columns: EdgeMessages) -> Iterator[tuple[int, Inbound]]:
        rows = zip(
            columns.ordinals,
            columns.conns,
            columns.msg_ids,
            columns.types,
            columns.target_keys,
            columns.target_platforms,
            columns.payloads,
            columns.transfers or (0,) * len(columns.ordinals),
            strict=True,
        )
        for ordinal, conn, msg_id, kind, key, platform, payload, transfer in rows:
            whole = self._transfers.finish(transfer) if transfer else payload
            yield conn, Inbound(ordinal, msg_id, kind, key, platform, whole)

    def on_reports(self, frame: EdgeFrame) -> None:
        """Take in what an edge says of earlier deliveries; raises `AttachRefused`."""
        if frame.taken_through > self._taken:
            self._on_taken(frame.taken_through)
        if frame.outcomes is not None:
            self._on_outcomes(frame.outcomes)
        for ordinal in self._done(frame):
            self._on_done(ordinal)

    def lose(self) -> None:
        """Give up everything that the edge had not answered for; call once."""
        self.lost.set()
        for item in self._lanes.drain():
            if isinstance(item, _Delivery):
                _lost(item.uuids, item.ledger, taken=False)
        for ordinal, flight in self._in_flight.items():
            _lost(flight.uuids, flight.ledger, taken=ordinal <= self._taken)
        self._in_flight.clear()

    def _on_taken(self, through: int) -> None:
        last = min(through, self._ordinal)
        for ordinal in range(self._taken + 1, last + 1):
            flight = self._in_flight.get(ordinal)
            if flight is not None:
                flight.ledger.taken(by_edge=True)
        self._taken = last

    def _done(self, frame: EdgeFrame) -> list[int]:
        try:
            return list(covered(frame.done, self._in_flight))
        except ValueError as error:
            raise _malformed("done", error) from None

    def _on_done(self, ordinal: int) -> None:
        flight = self._in_flight.pop(ordinal)
        if ordinal > self._taken:
            flight.ledger.taken(by_edge=True)

    def _on_outcomes(self, outcomes: Outcomes) -> None:
        columns = zip(outcomes.ordinals, outcomes.conns, outcomes.outcomes, strict=True)
        try:
            rows = [(ordinal, conn, BridgeOutcome(code)) for ordinal, conn, code in columns]
        except ValueError as error:
            raise _malformed("outcomes", error) from None
        for ordinal, conn, outcome in rows:
            flight = self._in_flight.get(ordinal)
            uuid = flight.uuids.get(conn) if flight is not None else None
            if flight is None or uuid is None:
                continue
            interim = flight.want is Want.ACKED and outcome is BridgeOutcome.WRITTEN
            flight.ledger.note(uuid, OF_BRIDGE[outcome], last=not interim)

    def _append(self, columns: Deliveries, item: _Delivery, transfer: int) -> None:
        self._ordinal += 1
        message = item.message
        self._in_flight[self._ordinal] = _InFlight(item.uuids, item.ledger, item.want)
        columns.ordinals.append(self._ordinal)
        columns.fanouts.append(len(item.uuids))
        columns.conns.extend(item.uuids)
        columns.msg_ids.append(message.msg_id)
        columns.types.append(message.type)
        columns.sender_users.append(message.sender_user)
        columns.sender_platforms.append(message.sender_platform)
        columns.target_users.append(message.target_user)
        columns.platforms.append(message.platform)
        columns.timestamps.append(message.timestamp)
        columns.wants.append(item.want)
        columns.payloads.append(b"" if transfer else message.payload)
        columns.transfers.append(transfer)


def _malformed(part: str, error: Exception) -> AttachRefused:
    text = f"malformed frame: {part}: {type(error).__name__}: {error}"
    return AttachRefused(AttachProblem.PROTOCOL, text)


def _lost(uuids: Mapping[int, str], ledger: Ledger, *, taken: bool) -> None:
    if not taken:
        ledger.taken(by_edge=False)
    for uuid in uuids.values():
        ledger.lose(uuid)
