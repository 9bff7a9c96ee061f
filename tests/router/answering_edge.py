"""An edge in memory that answers by itself, as a real one with well-behaved clients would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from maim_protocol.bridge.frames import (
    PROTOCOL_VERSION,
    Admission,
    BridgeOutcome,
    Closed,
    Deliveries,
    DisconnectOrder,
    DrainOrder,
    EdgeFrame,
    Hello,
    Open,
    Outcomes,
    Refused,
    RouterFrame,
    Want,
)
from maim_protocol.bridge.pace import AT_ONCE
from maim_protocol.bridge.transfers import Transfers
from maim_router.node import Node


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message at one connection."""

    conn: int
    msg_id: str
    type: str
    payload: bytes


class AnsweringEdge:
    """Writes whatever it is given; `outcomes` says where that goes otherwise."""

    pace = AT_ONCE

    def __init__(self, edge_id: str = "edge-1") -> None:
        self.edge_id = edge_id
        self.outcomes: dict[int, BridgeOutcome] = {}
        self.acks: set[int] = set()
        self.delivered: list[Delivered] = []
        self.disconnected: list[DisconnectOrder] = []
        self._drains: asyncio.Queue[DrainOrder] = asyncio.Queue()
        self._welcome = asyncio.Event()
        self._frame_came = asyncio.Event()
        self._frames: asyncio.Queue[EdgeFrame | None] = asyncio.Queue()
        self._verdicts: dict[int, asyncio.Future[Admission | Refused]] = {}
        self._transfers = Transfers()

    @asynccontextmanager
    async def attached(self, node: Node) -> AsyncIterator[AnsweringEdge]:
        """Attach for the time of a `with` block."""
        hello = Hello(self.edge_id, 1, PROTOCOL_VERSION, "127.0.0.1:18040")
        self._frames.put_nowait(EdgeFrame(hello=hello))
        serving = asyncio.create_task(node.serve_edge(self))
        try:
            await self._welcome.wait()
            yield self
        finally:
            self._frames.put_nowait(None)
            await asyncio.gather(serving, return_exceptions=True)

    async def connect(
        self, api_key: str, platform: str = "test", *, connected_at: float | None = None
    ) -> Admission | Refused:
        """Ask for a connection, a second after the one before; returns the router's verdict."""
        conn = len(self._verdicts) + 1
        self._verdicts[conn] = asyncio.get_running_loop().create_future()
        came = float(conn) if connected_at is None else connected_at
        asked = Open(conn, api_key, platform, connected_at=came, client_ip="192.0.2.1")
        self._frames.put_nowait(EdgeFrame(opens=[asked]))
        return await self._verdicts[conn]

    async def admitted(self, api_key: str, platform: str = "test", **more: float) -> str:
        """Connect and return the connection's id."""
        verdict = await self.connect(api_key, platform, **more)
        assert isinstance(verdict, Admission), verdict
        return verdict.connection_uuid

    async def disconnects(self, count: int) -> list[DisconnectOrder]:
        """Wait until the router has ordered so many connections to be closed."""
        while len(self.disconnected) < count:
            self._frame_came.clear()
            await self._frame_came.wait()
        return self.disconnected

    async def drain_order(self) -> DrainOrder:
        """Wait for the next order to drain."""
        return await asyncio.wait_for(self._drains.get(), 10)

    def say(self, frame: EdgeFrame) -> None:
        """Tell the router something; a handshake that it answers later shows that it has read."""
        self._frames.put_nowait(frame)

    async def read(self) -> EdgeFrame | None:
        """Give the router the next frame."""
        return await self._frames.get()

    async def write(self, frame: RouterFrame) -> None:
        """Take a frame of the router."""
        if frame.welcome is not None:
            self._welcome.set()
        if frame.drain is not None:
            self._drains.put_nowait(frame.drain)
        for verdict in frame.verdicts:
            self._verdicts[verdict.conn].set_result(verdict.answer)
        self._transfers.add(frame.chunks)
        if frame.deliveries is not None:
            self._take(frame.deliveries)
        for order in frame.disconnects:
            self.disconnected.append(order)
            closed = Closed(order.conn, order.code, order.reason)
            self._frames.put_nowait(EdgeFrame(closes=[closed]))
        self._frame_came.set()

    def _take(self, columns: Deliveries) -> None:
        conns = iter(columns.conns)
        said = Outcomes()
        zeros = [0] * len(columns.ordinals)
        fanouts = columns.fanouts or [1] * len(columns.ordinals)
        for row, ordinal in enumerate(columns.ordinals):
            transfer = (columns.transfers or zeros)[row]
            payload = self._transfers.finish(transfer) if transfer else columns.payloads[row]
            for conn in [next(conns) for _ in range(fanouts[row])]:
                found = Delivered(conn, columns.msg_ids[row], columns.types[row], payload)
                self.delivered.append(found)
                self._say(said, ordinal, conn, Want((columns.wants or zeros)[row]))
        through = columns.ordinals[-1]
        done = [(columns.ordinals[0], through)]
        self._frames.put_nowait(EdgeFrame(taken_through=through, done=done, outcomes=said))

    def _say(self, said: Outcomes, ordinal: int, conn: int, want: Want) -> None:
        outcome = self.outcomes.get(conn, BridgeOutcome.WRITTEN)
        steps = [outcome]
        if want is Want.ACKED and outcome is BridgeOutcome.WRITTEN and conn in self.acks:
            steps.append(BridgeOutcome.ACKED)
        for step in steps:
            said.ordinals.append(ordinal)
            said.conns.append(conn)
            said.outcomes.append(step)
