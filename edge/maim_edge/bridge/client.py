"""The edge's side of the bridge: attaches, keeps what is not settled, attaches again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Sequence
from typing import Any

from maim_edge.bridge.attach import Identity, attach
from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.bridge.edge_status import EdgeStatus
from maim_edge.bridge.listener import Listener
from maim_edge.bridge.requeue import RequeueBuffer
from maim_edge.bridge.transports import Bridge
from maim_edge.bridge.uplink import Uplink
from maim_edge.bridge.verdicts import Verdicts
from maim_protocol.backoff import Backoff
from maim_protocol.bridge import (
    Admission,
    Closed,
    Deliveries,
    EdgeFrame,
    Open,
    Refused,
    RouterFrame,
    RouterStream,
    Transfers,
)
from maim_protocol.envelope import ClientFrame
from maim_protocol.errors import AttachRefused, RouterUnavailable
from maim_runtime.pump import Pump

log = logging.getLogger(__name__)

BUFFER_BYTES = 64 * 1024 * 1024
OPEN_WAIT_SECONDS = 1.0
# Ceilings of the wait between two attempts to attach.
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 3.0
# How long a report that nobody waits for may wait for a frame that leaves anyway.
REPORT_SECONDS = 0.1


class BridgeClient:
    """Carries opens, messages and closes to a router and its answers back.

    `grace` in seconds: how long connections are kept while no router is attached.
    """

    def __init__(
        self, bridge: Bridge, identity: Identity, listener: Listener, grace: float = 30.0
    ) -> None:
        self._bridge = bridge
        self._identity = identity
        self._listener = listener
        self._grace = grace
        self._uplink = Uplink(BUFFER_BYTES)
        self._verdicts = Verdicts()
        self._requeue = RequeueBuffer(self._verdicts.of)
        self._downlink = Downlink(self._requeue_receipt)
        self.status = EdgeStatus()
        self._at_capacity: set[int] = set()
        self._pump: Pump[EdgeFrame] | None = None
        self._announced = False
        self._attached = asyncio.Event()
        self._lost = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.reattached = 0

    @property
    def attached(self) -> bool:
        """Whether a router serves this edge now."""
        return self._attached.is_set()

    @property
    def unsettled(self) -> int:
        """How many messages the router has not settled."""
        return self._uplink.unsettled

    @property
    def unsettled_bytes(self) -> int:
        """How many bytes these messages take."""
        return self._uplink.unsettled_bytes

    async def wait_attached(self) -> None:
        """Wait until a router serves this edge."""
        await self._attached.wait()

    async def wait_lost(self) -> None:
        """Wait until no router serves this edge."""
        await self._lost.wait()

    async def finish(self) -> None:
        """Send what is still owed to the router; ends when it is on its way."""
        if self._pump is not None:
            self._pump.wake()
            await self._pump.idle()

    async def wait_settled(self) -> None:
        """Wait until the router has answered for every message."""
        await self._idle.wait()

    async def run(self) -> None:
        """Attach, and attach again for ever; cancel to end.

        Raises `AttachRefused` when the very first router to answer refuses this edge.
        """
        backoff = Backoff(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, random.random)
        grace = asyncio.ensure_future(self._watch_grace())
        try:
            while True:
                try:
                    await self._attach_once(backoff)
                except AttachRefused as error:
                    if not self.reattached:
                        raise
                    log.error("the router refuses this edge: %s", error)
                except (OSError, TimeoutError) as error:
                    log.warning("no router attached: %s", error)
                await asyncio.sleep(backoff.next_delay())
        finally:
            grace.cancel()

    def open(self, asked: Open) -> asyncio.Future[Admission | Refused]:
        """Ask the router about a handshake; the answer may be a `RouterUnavailable`.

        Whoever gives up waiting has to call `closed`.
        """
        if self._attached.is_set():
            return self._ask(asked)
        return asyncio.ensure_future(self._open_when_attached(asked))

    def closed(self, conn: int, code: int, reason: str) -> None:
        """Tell the router that a connection is gone, or is to get nothing more; once."""
        known = self._verdicts.forget(conn)
        self.status.forget(conn)
        self._at_capacity.discard(conn)
        self._uplink.leave(conn)
        if self._announced and known:
            self._uplink.close(Closed(conn, code, reason))
            self._wake()

    def send(self, conn: int, frame: ClientFrame) -> bool:
        """Hand a client's message over.

        Returns whether there is room for another one; if not, the listener's `on_capacity` tells
        when too much of what it sent is no longer unsettled.
        """
        if self._idle.is_set():
            self._idle.clear()
        room = self._uplink.push(conn, frame)
        if not room:
            self._at_capacity.add(conn)
        self._wake()
        return room

    def send_status(self) -> None:
        """Send what was noted in `status`."""
        self._wake()

    def report(self) -> None:
        """Say that something of deliveries may be waiting to be told."""
        if self._pump is None or not self._downlink.pending:
            return
        if self._downlink.urgent:
            self._pump.wake()
        else:
            self._pump.wake_within(REPORT_SECONDS)

    def _ask(self, asked: Open) -> asyncio.Future[Admission | Refused]:
        verdict = self._verdicts.ask(asked)
        self._uplink.open(asked)
        self._wake()
        return verdict

    async def _open_when_attached(self, asked: Open) -> Admission | Refused:
        """Wait a moment for a router, so that its restart turns nobody away."""
        try:
            async with asyncio.timeout(OPEN_WAIT_SECONDS):
                await self._attached.wait()
        except TimeoutError:
            raise RouterUnavailable("no router is attached") from None
        return await self._ask(asked)

    async def _attach_once(self, backoff: Backoff) -> None:
        stream = await self._bridge.connect()
        try:
            await self._attach(stream)
            backoff.reset()
            await self._serve(stream)
        finally:
            self._detached()
            await stream.close()

    async def _attach(self, stream: RouterStream) -> None:
        live = self._verdicts.live
        self._announced = True
        self._uplink.restart()
        self.status.restart()
        welcome = await attach(stream, self._identity, live)
        log.info("attached to %s, %d live connections", welcome.router_id, len(live))
        self.reattached += 1

    async def _serve(self, stream: RouterStream) -> None:
        self._downlink = Downlink(self._requeue_receipt)
        self._requeue.restart()
        self._pump = Pump(self, stream)
        self._lost.clear()
        self._attached.set()
        self._pump.wake()
        await _run_until_one_ends(self._pump.run(), self._read(stream))
        raise ConnectionError("the router ended the stream")

    def _detached(self) -> None:
        self._announced = False
        self._attached.clear()
        self._lost.set()
        self._pump = None
        self._downlink.lose()
        self._verdicts.lose()

    async def _watch_grace(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._grace):
                    await self._attached.wait()
            except TimeoutError:
                self._uplink.drop(())
                self._release_capacity()
                self._listener.on_router_lost()
                await self._attached.wait()
            await self._lost.wait()

    async def _read(self, stream: RouterStream) -> None:
        transfers = Transfers()
        while (frame := await stream.read()) is not None:
            try:
                self._on_frame(frame, transfers)
            except (KeyError, IndexError, ValueError) as error:
                text = f"the router sent a malformed frame: {type(error).__name__}: {error}"
                raise ConnectionError(text) from error

    def _on_frame(self, frame: RouterFrame, transfers: Transfers) -> None:
        for verdict in frame.verdicts:
            self._verdicts.answer(verdict)
        transfers.add(frame.chunks)
        if frame.deliveries is not None:
            self._on_deliveries(frame.deliveries, transfers)
        if frame.kept:
            self._requeue.kept(frame.kept)
        for order in frame.disconnects:
            self._listener.on_disconnect(order)
        if frame.drain is not None:
            self._listener.on_drain(frame.drain)
        if frame.settled:
            self._on_settled(self._uplink.settle(frame.settled))
        for rejection in frame.rejections:
            sender = self._uplink.reject(rejection.ordinal)
            if sender is not None:
                self._listener.on_rejected(*sender, rejection.code, rejection.text)
        if frame.rejections:
            self._release_capacity()
        self.report()

    def _on_deliveries(self, columns: Deliveries, transfers: Transfers) -> None:
        self._listener.on_deliveries(columns, transfers, self._downlink)
        if columns.settles:
            self._on_settled(self._uplink.settle_each(columns.settles))
        if not columns.settles or 0 in columns.settles:
            # Somebody elsewhere waits to hear that these are here.
            self._downlink.urgent = True

    def _on_settled(self, messages: Sequence[tuple[int, str]]) -> None:
        for conn, msg_id in messages:
            self._listener.on_settled(conn, msg_id)
        self._release_capacity()

    def _release_capacity(self) -> None:
        if self._at_capacity:
            for conn in [conn for conn in self._at_capacity if self._uplink.has_capacity(conn)]:
                self._at_capacity.discard(conn)
                self._listener.on_capacity(conn)
        if not self._uplink.unsettled:
            self._idle.set()

    def gather(self) -> EdgeFrame | None:
        """Take what fits into one frame; None when there is nothing."""
        # What is given back goes before a handshake: whoever comes again gets it first.
        frame = self._requeue.gather() if self._requeue.pending else self._uplink.gather()
        return self.status.fill(self._downlink.fill(frame))

    def has_more(self) -> bool:
        """Whether there is anything to gather."""
        said = self._requeue.pending or self.status.owes or self._downlink.owes
        return said or self._uplink.has_more

    def _requeue_receipt(self, receipt: Receipt) -> None:
        self._requeue.add(receipt)
        self._wake()

    def _wake(self) -> None:
        if self._pump is not None:
            self._pump.wake()


async def _run_until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends, cancel the others, and raise what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
