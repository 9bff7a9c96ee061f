"""The router without a network: attached streams in, actions of the hub carried out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from maim_protocol.bridge import EdgeFrame, EdgeStream, Hello, Refused
from maim_protocol.close_codes import CloseCode
from maim_router import events as ev
from maim_router.auth import Auth, Resolver, Signer
from maim_router.bridge import (
    EdgeLink,
    HandshakeInterner,
    check_hello,
    checked_open,
    read_hello,
    without_taken_ids,
)
from maim_router.connection_map import ConnectionMap, MemoryConnectionMap
from maim_router.delivery import (
    MailboxDelivery,
    MailboxExpiry,
    MessageSequence,
    Messenger,
    Redelivery,
    Relay,
    Requeue,
    Sender,
    last_number,
)
from maim_router.events import Address, EdgeKey
from maim_router.handlers import Ack, Dispatch, HandlerRunner, Order
from maim_router.hooks import Hooks
from maim_router.hub import Hub
from maim_router.lifecycle import Admission, LifecycleFeed
from maim_router.mailbox import Mailbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """Bounds of a node; times in seconds."""

    hook_timeout: float = 10.0
    dedup_window: float = 600.0
    resolve_ttl: float = 60.0
    ack: Ack = "handled"
    max_handler_tasks: int = 1000
    handler_order: Order = "concurrent"
    handler_timeout: float = 0.0
    stop_timeout: float = 2.0
    hello_timeout: float = 15.0
    mailbox_ttl: float = 86400.0


class Node:
    """One router: hub, map, handlers and the links to its edges."""

    def __init__(
        self,
        hooks: Hooks,
        auth: Auth,
        options: NodeOptions | None = None,
        connections: ConnectionMap | None = None,
        mailbox: Mailbox | None = None,
        signer: Signer | None = None,
    ) -> None:
        self.options = options or NodeOptions()
        self.hooks = hooks
        self.auth = auth
        self.router_id = f"router-{uuid.uuid4().hex[:12]}"
        # An empty map counts as false.
        self.connections = MemoryConnectionMap() if connections is None else connections
        self.hub = Hub(hooks, lambda: str(uuid.uuid4()), self.options.dedup_window)
        self.handlers = HandlerRunner(
            self.options.max_handler_tasks,
            self.options.handler_order,
            self.options.handler_timeout,
        )
        self.started_at = time.monotonic()
        # Set whenever an edge has attached; whoever waits for the next one clears it.
        self.attached = asyncio.Event()
        self._links: dict[EdgeKey, EdgeLink] = {}
        self._deliveries_of_gone_links = 0
        self._streams: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self._interner = HandshakeInterner()
        self._signer = signer or Signer()
        # When the last frame came, monotonic seconds.
        self._now = time.monotonic()
        self.resolver = Resolver(self._resolve, self.options.resolve_ttl, time.monotonic)
        sequence = MessageSequence(last_number(mailbox))
        self.mailbox_delivery = MailboxDelivery(
            mailbox, self.connections, self._links.get, self.options.mailbox_ttl
        )
        self._mailbox_expiry = MailboxExpiry(self.mailbox_delivery)
        self._redelivery = Redelivery(self.mailbox_delivery, self._step)
        sender = Sender(self._links.get, self.mailbox_delivery, self._redelivery)
        self._relay = Relay(
            self.resolver, self.connections, sender, self.mailbox_delivery, sequence, self._step
        )
        self._dispatch = Dispatch(hooks, self.handlers, self.options.ack, self._step)
        self.admission = Admission(auth, self.connections, self._step, sequence)
        self._requeue = Requeue(self.mailbox_delivery, self._signer, self.admission.identify)
        self.lifecycle = LifecycleFeed(self._dispatch, self.admission.after_writes)
        self.messenger = Messenger(self.connections, self.resolver, sender, sequence)

    @property
    def links(self) -> Sequence[EdgeLink]:
        """The attached edges, by id."""
        return [self._links[key] for key in sorted(self._links)]

    @property
    def deliveries(self) -> int:
        """How many deliveries to connections there were since the start."""
        return self._deliveries_of_gone_links + sum(link.deliveries for link in self.links)

    async def serve_edge(self, stream: EdgeStream) -> None:
        """Serve one attachment until either side ends it.

        Raises `AttachRefused` when the edge may not attach or does not keep to the protocol.
        Cancelling ends the attachment.
        """
        hello, frames = await read_hello(stream, self.options.hello_timeout)
        if self._stopped:
            return
        link = self._attach(hello, stream, frames)
        tasks = [
            asyncio.ensure_future(link.run()),
            asyncio.ensure_future(self._read(link, stream, frames)),
            asyncio.ensure_future(link.lost.wait()),
        ]
        self._streams.update(tasks)
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except ConnectionError as error:
            log.info("edge %s: stream broken: %s", hello.edge_id, error)
        finally:
            self._detach(link)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._streams.difference_update(tasks)

    async def stop(self) -> None:
        """Let handlers finish for a moment, then end every attachment; safe to call twice."""
        if self._stopped:
            return
        timeout = self.options.stop_timeout
        await self.handlers.finish(timeout)
        self._dispatch.settle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout / 2):
                for link in self.links:
                    await link.idle()
        self._stopped = True
        for link in self.links:
            self._detach(link)
        await asyncio.gather(*self._streams, return_exceptions=True)
        await self.lifecycle.finish(timeout / 2)
        await self.handlers.stop(timeout / 2)
        await self._relay.stop()
        await self.resolver.stop()
        await self.admission.stop()
        await self._mailbox_expiry.stop()
        await self.mailbox_delivery.close()

    def disconnect(self, entries: Sequence[Any], code: int, reason: str) -> int:
        """Order connections of the map to be closed; returns how many."""
        for entry in entries:
            self._carry_out(ev.Disconnect(entry.address, code, reason))
        return len(entries)

    def _on_slow(self, edge: EdgeKey, conn: int) -> None:
        """Send a connection away for which too much waits here; the mailbox takes that."""
        text = "slow consumer: more waits for it at the router than it may hold"
        self._reclaim(Address(edge, conn))
        self._carry_out(ev.Disconnect(Address(edge, conn), CloseCode.SLOW_CONSUMER, text))

    def _reclaim(self, address: Address) -> None:
        """Take what a connection is not known to have, and leave it to others."""
        link = self._links.get(address.edge)
        if link is not None and link.has_unconfirmed(address.conn):
            self._redelivery.take(address.edge, link.reclaim(address.conn), time.time())

    async def _resolve(self, api_key: str, platform: str) -> str:
        async with asyncio.timeout(self.options.hook_timeout):
            return await self.auth.resolve(api_key, platform)

    def _attach(self, hello: Hello, stream: EdgeStream, frames: Sequence[EdgeFrame]) -> EdgeLink:
        key = EdgeKey(hello.edge_id, hello.epoch)
        check_hello(hello, self._links, self.auth)
        for earlier in [k for k in self._links if k.edge_id == key.edge_id]:
            self._detach(self._links[earlier])
        slow, gone = partial(self._on_slow, key), partial(self._redelivery.take_one, key)
        link = EdgeLink(hello, time.time(), stream, slow, gone)
        self._links[key] = link
        self._mailbox_expiry.start()
        log.info("edge %s attached: %d live connections", hello.edge_id, hello.live_count)
        live = [self._interner.live(live) for frame in frames for live in frame.live]
        proven, unproven = self._signer.partition(key, live)
        self._step(
            ev.EdgeAttached(key, proven, without_taken_ids(unproven, proven, self.connections))
        )
        return link

    def _detach(self, link: EdgeLink) -> None:
        if self._links.get(link.key) is not link:
            return
        del self._links[link.key]
        self._deliveries_of_gone_links += link.deliveries
        log.info("edge %s detached", link.key.edge_id)
        self._step(ev.EdgeLost(link.key))
        # Where nobody is any more when it is asked who shall get them instead.
        self._redelivery.take(link.key, link.lose(), time.time(), edge_lost=True)

    async def _read(self, link: EdgeLink, stream: EdgeStream, frames: Sequence[EdgeFrame]) -> None:
        await self.admission.settled(link.key)
        link.welcome(self.router_id)
        self.attached.set()
        for frame in frames:
            self._take_in(link, frame)
        while (later := await stream.read()) is not None:
            self._take_in(link, later)

    def _take_in(self, link: EdgeLink, frame: EdgeFrame) -> None:
        """Take a frame in, unless its stream has been replaced by a later one."""
        if link.lost.is_set():
            return
        # One look at the clocks for all that it holds.
        self._now, timestamp = time.monotonic(), time.time()
        if frame.given_back is not None:
            self._requeue.take(link, frame.given_back, frame.given_back_from)
        for asked in frame.opens:
            self._step(ev.Opened(link.key, self._interner.open(checked_open(asked))))
        messages = link.messages(frame)
        if messages:
            self._receive(ev.Received(link.key, messages), timestamp)
        for closed in frame.closes:
            link.gone.add(closed.conn)
            self._step(ev.Closed(Address(link.key, closed.conn), closed.code, closed.reason))
            self.admission.after_writes(partial(link.gone.discard, closed.conn))
        reports = link.on_reports(frame)
        if reports.taken:
            self._step(ev.Settled(reports.taken, told=link.key))
        if reports.returned:
            self._redelivery.take(link.key, reports.returned, timestamp)
        for closed in frame.closes:
            # Before its edge says so: whoever comes next gets this before anything newer.
            self._reclaim(Address(link.key, closed.conn))
        if reports.arrived:
            self.mailbox_delivery.arrived(reports.arrived)

    def _receive(self, event: ev.Received, timestamp: float) -> None:
        now, pass_on = self._now, self._relay.pass_on
        for action in self.hub.step(event, now):
            if isinstance(action, ev.Relay):
                pass_on(action, now, timestamp)
            else:
                self._carry_out(action)

    def _step(self, event: ev.Event) -> None:
        for action in self.hub.step(event, self._now):
            self._carry_out(action)

    def _carry_out(self, action: ev.Action) -> None:
        match action:
            case ev.Settle(edge, ordinals):
                if link := self._links.get(edge):
                    link.settle(ordinals)
            case ev.Dispatch():
                self._dispatch.message(action)
            case ev.Relay():
                self._relay.pass_on(action, self._now, time.time())
            case ev.Reject(edge, ordinal, code, text):
                if link := self._links.get(edge):
                    link.reject(ordinal, code, text)
            case ev.Authenticate():
                self.admission.authenticate(action)
            case ev.Register() | ev.Unregister():
                self.admission.write(action)
            case ev.Admit(address, admission):
                session = self.hub.session(address)
                if session is not None and (link := self._links.get(address.edge)):
                    signed = self._signer.sign(address.edge, session.open, admission)
                    link.answer(address.conn, signed)
            case ev.Refuse(address, code, text):
                if link := self._links.get(address.edge):
                    link.answer(address.conn, Refused(code, text))
            case ev.Disconnect(address, close_code, reason):
                if link := self._links.get(address.edge):
                    link.disconnect(address.conn, close_code, reason)
            case ev.NotifyConnected() | ev.NotifyActivated():
                self.lifecycle.take(action)
                if entry := self.connections.get(action.session.uuid):
                    self.mailbox_delivery.on_connected(entry)
            case ev.NotifyDisconnected():
                if action.replaced_by:
                    # Whoever comes in its place gets what it did not.
                    self._reclaim(action.session.address)
                self.lifecycle.take(action)
