"""Passes messages of clients on to the user that `message_dim` names; payloads stay untouched."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable

from maim_protocol.errors import ErrorCode
from maim_protocol.frames import Want
from maim_router import events as ev
from maim_router.connection_map import ConnectionMap
from maim_router.delivery import Ledger
from maim_router.edge_link import Outgoing
from maim_router.events import Address, Session
from maim_router.resolver import Resolver
from maim_router.sending import Sender

log = logging.getLogger(__name__)


class Relay:
    """Resolves, looks up and sends; a sender's messages never overtake each other."""

    def __init__(
        self,
        resolver: Resolver,
        connections: ConnectionMap,
        sender: Sender,
        report: Callable[[ev.Settled | ev.Failed], None],
    ) -> None:
        self._resolver = resolver
        self._connections = connections
        self._sender = sender
        self._report = report
        self._unresolved: dict[Address, deque[ev.Inbound]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def pass_on(self, session: Session, message: ev.Inbound) -> None:
        """Send a message to its receiver, at once when the receiver's user is known."""
        waiting = self._unresolved.get(session.address)
        if waiting is not None:
            waiting.append(message)
            return
        user_id = self._resolver.known(message.target_key, message.target_platform)
        if user_id is not None:
            self._send(session, message, user_id)
            return
        self._unresolved[session.address] = deque([message])
        task = asyncio.get_running_loop().create_task(self._resolve_for(session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what still waits for a resolution."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _resolve_for(self, session: Session) -> None:
        """Send what waits for a sender, in order."""
        waiting = self._unresolved[session.address]
        try:
            while waiting:
                await self._resolve_one(session, waiting[0])
                waiting.popleft()
        finally:
            del self._unresolved[session.address]

    async def _resolve_one(self, session: Session, message: ev.Inbound) -> None:
        try:
            user_id = await self._resolver.resolve(message.target_key, message.target_platform)
        except Exception as error:
            # The text of the error may hold the key, so only its type is logged.
            log.warning("receiver not resolved: %s", type(error).__name__)
            text = "the receiver that message_dim names could not be resolved"
            self._fail(session, message, ErrorCode.INTERNAL, text)
            return
        self._send(session, message, user_id)

    def _send(self, session: Session, message: ev.Inbound, user_id: str) -> None:
        entries = self._connections.find(user_id, message.target_platform) if user_id else ()
        if not entries:
            text = "nobody is connected as the user and platform that message_dim names"
            self._fail(session, message, ErrorCode.NO_ROUTE, text)
            return
        outgoing = Outgoing(
            msg_id=message.msg_id or f"relay_{session.uuid}_{message.ordinal}",
            type=message.type,
            payload=message.payload,
            timestamp=time.time(),
            sender_user=session.user_id,
            sender_platform=session.open.platform,
            target_user=user_id,
            platform=message.target_platform,
        )
        ledger = Ledger(lambda any_edge: self._taken(session, message, any_edge))
        self._sender.hand_out(outgoing, entries, ledger, Want.DONE)

    def _taken(self, session: Session, message: ev.Inbound, any_edge: bool) -> None:
        if any_edge:
            self._report(ev.Settled(session.address, session.user_id, message))
        else:
            text = "the edge of the receiver was lost"
            self._fail(session, message, ErrorCode.NO_ROUTE, text)

    def _fail(self, session: Session, message: ev.Inbound, code: ErrorCode, text: str) -> None:
        self._report(ev.Failed(session.address, session.user_id, message, code, text))
