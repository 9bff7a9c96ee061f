"""Turns what connections report into calls of the user's callbacks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from maim_message.client.config import ClientConfig
from maim_message.client.dispatch import Dispatcher, call, call_handler
from maim_message.client.stats import Stats
from maim_protocol.envelope import CUSTOM_PREFIX, SYS_STD, Envelope
from maim_protocol.message import APIMessageBase

# The handler of this type takes every custom type that has none of its own.
ANY_CUSTOM = f"{CUSTOM_PREFIX}*"
Acknowledge = Callable[[], Awaitable[None]]


class Callbacks(Protocol):
    """The part of a config that holds callbacks; read at every call, so that it may change."""

    on_connect: Callable[[str, ClientConfig], Any] | None
    on_disconnect: Callable[[str, str | None], Any] | None
    on_message: Callable[[Any, dict[str, Any]], Any] | None
    custom_handlers: dict[str, Callable[..., Any]]
    stats_callback: Callable[[dict[str, Any]], Any] | None


class Inbox:
    """Hands events to callbacks, in order, through the dispatcher."""

    def __init__(self, callbacks: Callbacks, dispatcher: Dispatcher, stats: Stats) -> None:
        self._callbacks = callbacks
        self._dispatcher = dispatcher
        self._stats = stats

    async def deliver(self, label: str, envelope: Envelope, acknowledge: Acknowledge) -> None:
        """Acknowledge a message and hand it to its callback, both when its turn comes."""
        what = f"{envelope.type} {envelope.msg_id or 'without msg_id'}"

        async def job() -> None:
            await acknowledge()
            await self._handle(label, envelope)

        await self._dispatcher.submit(what, job)

    async def acknowledge(self, msg_id: str, acknowledge: Acknowledge) -> None:
        """Acknowledge a duplicate, which no callback sees."""
        self._stats.duplicate_messages_ignored += 1
        await self._dispatcher.submit(f"acknowledgement of {msg_id}", acknowledge)

    async def connected(self, label: str, config: ClientConfig) -> None:
        """Tell the user that a link came up, for the first time or again."""
        await self._notify("on_connect", self._callbacks.on_connect, label, config)

    async def disconnected(self, label: str, error: str | None) -> None:
        """Tell the user that a link is gone; `error` is `None` when the user asked for it."""
        await self._notify("on_disconnect", self._callbacks.on_disconnect, label, error)

    async def report(self, stats: dict[str, Any]) -> None:
        """Hand the counters to the user."""
        await self._notify("stats_callback", self._callbacks.stats_callback, stats)

    async def _notify(
        self, what: str, callback: Callable[..., Any] | None, *arguments: Any
    ) -> None:
        if callback is None:
            return

        async def job() -> None:
            await call(callback, *arguments)

        await self._dispatcher.submit(what, job)

    async def _handle(self, label: str, envelope: Envelope) -> None:
        metadata = {
            **envelope.meta,
            "msg_id": envelope.msg_id,
            "type": envelope.type,
            "connection_uuid": label,
        }
        if envelope.type == SYS_STD:
            if self._callbacks.on_message is not None:
                message = APIMessageBase.from_dict(msgspec.json.decode(envelope.payload))
                await call(self._callbacks.on_message, message, metadata)
            return
        handlers = self._callbacks.custom_handlers
        handler = handlers.get(envelope.type) or handlers.get(ANY_CUSTOM)
        if handler is not None:
            self._stats.custom_messages_processed += 1
            await call_handler(handler, msgspec.json.decode(envelope.payload), metadata)
