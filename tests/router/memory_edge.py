"""An edge in memory: frames go to a node over queues, its answers are read one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import astuple

from maim_protocol.bridge.frames import (
    PROTOCOL_VERSION,
    Admission,
    Closed,
    Deliveries,
    DisconnectOrder,
    EdgeFrame,
    EdgeMessages,
    Hello,
    Live,
    Open,
    Outcomes,
    Rejection,
    RouterFrame,
    Verdict,
    Welcome,
)
from maim_protocol.bridge.pace import AT_ONCE
from maim_protocol.bridge.transfers import Transfers
from maim_router.events import Inbound
from maim_router.node import Node


class Stream:
    """An `EdgeStream` between two queues."""

    pace = AT_ONCE

    def __init__(self) -> None:
        self.up: asyncio.Queue[EdgeFrame | None] = asyncio.Queue()
        self.down: asyncio.Queue[RouterFrame] = asyncio.Queue()
        self.broken = False

    async def read(self) -> EdgeFrame | None:
        return await self.up.get()

    async def write(self, frame: RouterFrame) -> None:
        if self.broken:
            raise ConnectionError("the stream is broken")
        self.down.put_nowait(frame)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as the edge reads it."""

    ordinal: int
    conns: tuple[int, ...]
    msg_id: str
    type: str
    sender_user: str
    sender_platform: str
    target_user: str
    platform: str
    payload: bytes
    want: int
    settles: int


Heard = Welcome | Verdict | Delivered | DisconnectOrder | Rejection | int


@dataclass
class MemoryEdge:
    """One attachment of an edge; a settled ordinal is heard as an `int`."""

    node: Node
    edge_id: str = "edge-1"
    epoch: int = 1
    address: str = "127.0.0.1:18040"
    version: int = PROTOCOL_VERSION
    stream: Stream = field(default_factory=Stream)
    transfers: Transfers = field(default_factory=Transfers)
    heard: list[Heard] = field(default_factory=list)
    ordinal: int = 0

    def __post_init__(self) -> None:
        self.serving = asyncio.ensure_future(self.node.serve_edge(self.stream))

    def hello(self, live_count: int = 0) -> Hello:
        return Hello(self.edge_id, self.epoch, self.version, self.address, 0, live_count)

    async def attach(self, live: Sequence[Live] = ()) -> MemoryEdge:
        """Say hello and wait for the welcome."""
        self.send(EdgeFrame(hello=self.hello(len(live)), live=live))
        assert isinstance(await self.hear(), Welcome)
        return self

    def send(self, frame: EdgeFrame | None) -> None:
        self.stream.up.put_nowait(frame)

    def open(self, conn: int, key: str, platform: str = "qq", label: str = "") -> None:
        self.send(EdgeFrame(opens=[Open(conn, key, platform, label)]))

    async def admitted(
        self, conn: int, key: str, platform: str = "qq", label: str = ""
    ) -> Admission:
        """Open a connection and wait until it is let in."""
        self.open(conn, key, platform, label)
        verdict = await self.hear()
        assert isinstance(verdict, Verdict)
        assert isinstance(verdict.answer, Admission)
        assert verdict.conn == conn
        return verdict.answer

    def close(self, conn: int, code: int = 1000) -> None:
        self.send(EdgeFrame(closes=[Closed(conn, code)]))

    def message(
        self,
        conn: int,
        msg_id: str,
        to: tuple[str, str] = ("", ""),
        payload: bytes = b"{}",
        type: str = "sys_std",
    ) -> int:
        """Send a client's message; returns its ordinal."""
        self.ordinal += 1
        self.replay(Inbound(self.ordinal, conn, msg_id, type, *to, payload))
        return self.ordinal

    def replay(self, *messages: Inbound) -> None:
        """Send messages in one frame."""
        columns = EdgeMessages(
            *[list(column) for column in zip(*map(astuple, messages), strict=True)]
        )
        self.send(EdgeFrame(messages=columns))

    def report(self, delivered: Delivered, outcome: int, *conns: int) -> None:
        """Take a delivery and say what became of it at some connections."""
        count = len(conns)
        outcomes = Outcomes([delivered.ordinal] * count, list(conns), [outcome] * count)
        self.send(EdgeFrame(taken_through=delivered.ordinal, outcomes=outcomes))

    async def hear(self) -> Heard:
        """Wait for the next thing that the router says."""
        while not self.heard:
            self._read(await asyncio.wait_for(self.stream.down.get(), 10))
        return self.heard.pop(0)

    async def delivered(self) -> Delivered:
        heard = await self.hear()
        assert isinstance(heard, Delivered), heard
        return heard

    async def nothing(self) -> None:
        """Check that the router has nothing to say once everything sent before was read.

        A handshake that is refused makes a verdict, and verdicts come first.
        """
        self.open(0, "")
        verdict = await self.hear()
        assert isinstance(verdict, Verdict), verdict
        assert verdict.conn == 0
        assert self.heard == []

    def _read(self, frame: RouterFrame) -> None:
        self.heard += [frame.welcome] if frame.welcome else []
        self.heard += frame.verdicts
        self.transfers.add(frame.chunks)
        if frame.deliveries is not None:
            self.heard += self._deliveries(frame.deliveries)
        self.heard += frame.disconnects
        self.heard += [n for first, last in frame.settled for n in range(first, last + 1)]
        self.heard += frame.rejections

    def _deliveries(self, columns: Deliveries) -> list[Delivered]:
        found, start, zeros = [], 0, [0] * len(columns.ordinals)
        transfers, wants = columns.transfers or zeros, columns.wants or zeros
        for row, ordinal in enumerate(columns.ordinals):
            end = start + (columns.fanouts[row] if columns.fanouts else 1)
            transfer = transfers[row]
            found.append(
                Delivered(
                    ordinal,
                    tuple(columns.conns[start:end]),
                    columns.msg_ids[row],
                    columns.types[row],
                    columns.sender_users[row],
                    columns.sender_platforms[row],
                    columns.target_users[row],
                    columns.platforms[row],
                    self.transfers.finish(transfer) if transfer else columns.payloads[row],
                    wants[row],
                    (columns.settles or zeros)[row],
                )
            )
            start = end
        return found
