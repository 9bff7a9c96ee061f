"""Where comings and goings are written down: callbacks and watchers both read them here."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from functools import partial

from maim_router import events as ev
from maim_router.events import Session
from maim_router.handlers import Dispatch
from maim_router.lifecycle.log import (
    MAX_BYTES,
    MAX_EVENTS,
    ConnectionView,
    Kind,
    LifecycleEvent,
    LifecycleLog,
)

Notify = ev.NotifyConnected | ev.NotifyActivated | ev.NotifyDisconnected


class LifecycleFeed:
    """Numbers each event in the order in which the map changed, then calls the application.

    `after_writes` calls back when the map holds what was ordered by now: a connection that leaves
    is gone for watchers when it is gone from the map.
    """

    def __init__(
        self, dispatch: Dispatch, after_writes: Callable[[Callable[[], None]], None]
    ) -> None:
        self.log = LifecycleLog(uuid.uuid4().hex, MAX_EVENTS, MAX_BYTES)
        self._dispatch = dispatch
        self._after_writes = after_writes
        self._news = asyncio.Event()
        self._closed = False

    def take(self, action: Notify) -> None:
        """Write an event down, one that the map has still to follow when it has."""
        if isinstance(action, ev.NotifyDisconnected) and not action.replaced_by:
            self._after_writes(partial(self._take, action))
        else:
            self._take(action)

    async def reached(self, seq: int) -> bool:
        """Wait until an event is there; False when none will come any more."""
        while self.log.next <= seq and not self._closed:
            await self._news.wait()
        return self.log.next > seq

    async def finish(self, timeout: float) -> None:
        """Write down what the map has still to follow, then let watchers read it and end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                written = asyncio.Event()
                self._after_writes(written.set)
                await written.wait()
        self._closed = True
        self._wake()

    def _take(self, action: Notify) -> None:
        match action:
            case ev.NotifyConnected(session):
                self._append(Kind.CONNECTED, session)
                self._dispatch.connected(session)
            case ev.NotifyActivated(session):
                self._append(Kind.ACTIVATED, session)
            case ev.NotifyDisconnected(session, code, reason, by):
                kind = Kind.REPLACED if by else Kind.DISCONNECTED
                self._append(kind, session, code, reason, by)
                self._dispatch.disconnected(session)

    def _append(
        self, kind: Kind, session: Session, code: int = 0, reason: str = "", by: str = ""
    ) -> None:
        event = LifecycleEvent(kind, ConnectionView.of(session), time.time(), code, reason, by)
        self.log.append(event)
        self._wake()

    def _wake(self) -> None:
        """Wake who waits now; who comes later waits for the next event."""
        self._news.set()
        self._news = asyncio.Event()
