"""Passes messages of clients on to the user that `message_dim` names; payloads stay untouched."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from maim_protocol.bridge import Want
from maim_protocol.errors import ErrorCode
from maim_router import events as ev
from maim_router.auth import Resolver
from maim_router.bridge import Delivery, DeliveryTracker, Outgoing
from maim_router.connection_map import Audience, ConnectionMap, Entry
from maim_router.delivery.mailbox_delivery import MailboxDelivery
from maim_router.delivery.sender import Sender
from maim_router.delivery.sequence import MessageSequence
from maim_router.events import Address, EdgeKey

log = logging.getLogger(__name__)

UNKNOWN = "no user that the router knows has the api_key that message_dim names"
NOBODY = "nobody is connected as the user and platform that message_dim names"


class Relay:
    """Resolves, looks up and sends; a sender's messages never overtake each other.

    What one edge alone receives is in flight as the hub's order itself, and whoever reads the
    reports of that edge tells the hub; `report` takes how all others ended.
    """

    def __init__(
        self,
        resolver: Resolver,
        connections: ConnectionMap,
        sender: Sender,
        mailbox_delivery: MailboxDelivery,
        sequence: MessageSequence,
        report: Callable[[ev.Settled | ev.Failed], None],
    ) -> None:
        self._resolver = resolver
        self._connections = connections
        self._sender = sender
        self._mailbox_delivery = mailbox_delivery
        self._sequence = sequence
        self._report = report
        # With the time when the router took each message.
        self._unresolved: dict[Address, deque[tuple[ev.Relay, float]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def pass_on(self, relay: ev.Relay, now: float, timestamp: float) -> None:
        """Send a message to its receiver, at once when the receiver's user is known.

        `now` is monotonic seconds, `timestamp` Unix seconds; one clock call does for a frame.
        """
        if self._unresolved:
            waiting = self._unresolved.get(relay.session.address)
            if waiting is not None:
                waiting.append((relay, timestamp))
                return
        message = relay.message
        user_id = self._resolver.known(message.target_key, message.target_platform, now)
        if user_id is not None:
            self._send(relay, user_id, timestamp)
            return
        address = relay.session.address
        self._unresolved[address] = deque([(relay, timestamp)])
        task = asyncio.get_running_loop().create_task(self._resolve_for(address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what still waits for a resolution."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _resolve_for(self, address: Address) -> None:
        """Send what waits for a sender, in order."""
        waiting = self._unresolved[address]
        try:
            while waiting:
                await self._resolve_one(*waiting[0])
                waiting.popleft()
        finally:
            del self._unresolved[address]

    async def _resolve_one(self, relay: ev.Relay, timestamp: float) -> None:
        message = relay.message
        try:
            user_id = await self._resolver.resolve(message.target_key, message.target_platform)
        except Exception as error:
            # The text of the error may hold the key, so only its type is logged.
            log.warning("receiver not resolved: %s", type(error).__name__)
            text = "the receiver that message_dim names could not be resolved"
            self._report(ev.Failed(relay, ErrorCode.INTERNAL, text))
            return
        self._send(relay, user_id, timestamp)

    def _send(self, relay: ev.Relay, user_id: str, timestamp: float) -> None:
        session, message = relay.session, relay.message
        platform = message.target_platform
        entries = self._connections.find(user_id, platform) if user_id else ()
        outgoing = Outgoing(
            message.msg_id or f"relay_{session.uuid}_{message.ordinal}",
            message.type,
            message.payload,
            timestamp,
            session.user_id,
            session.open.platform,
            user_id,
            platform,
            self._sequence.next(timestamp),
        )
        draining_boxes = self._mailbox_delivery.draining_boxes
        if draining_boxes and (user_id, platform) in draining_boxes:
            self._keep(relay, outgoing)
        elif len(entries) == 1:
            (entry,) = entries
            self._deliver(relay, outgoing, entry.edge, (entry.open.conn,))
        elif entries:
            self._send_to_several(relay, outgoing, entries)
        elif user_id:
            self._keep(relay, outgoing)
        else:
            self._report(ev.Failed(relay, ErrorCode.NO_ROUTE, UNKNOWN))

    def _send_to_several(
        self, relay: ev.Relay, outgoing: Outgoing, entries: Sequence[Entry]
    ) -> None:
        to = Audience.of(entries)
        if len(to.parts) == 1:
            self._deliver(relay, outgoing, to.parts[0].edge, to.parts[0].conns)
            return
        tracker = DeliveryTracker(lambda any_edge: self._taken(relay, any_edge))
        self._sender.hand_out(outgoing, to, tracker, Want.DONE)

    def _deliver(
        self, relay: ev.Relay, outgoing: Outgoing, edge: EdgeKey, conns: Sequence[int]
    ) -> None:
        """Send to the only edge that receives it; the sender's own need not be told then."""
        link = self._sender.link(edge)
        if link is None:
            self._keep(relay, outgoing)
            return
        settles = relay.message.ordinal if edge == relay.session.edge else 0
        link.deliver(Delivery(outgoing, conns, relay, Want.DONE, settles))

    def _keep(self, relay: ev.Relay, outgoing: Outgoing) -> None:
        """Let the mailbox answer for a message that nobody is there for."""

        def on_stored(stored: bool) -> None:
            self._taken(relay, any_edge=stored)

        self._mailbox_delivery.keep(outgoing, on_stored)

    def _taken(self, relay: ev.Relay, any_edge: bool) -> None:
        if any_edge:
            self._report(ev.Settled((relay,)))
        else:
            code, text = self._mailbox_delivery.why_not(NOBODY)
            self._report(ev.Failed(relay, code, text))
