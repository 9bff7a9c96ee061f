"""Turns what connections report into calls of the user's callbacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import msgspec

from maim_message.client.callbacks.dispatcher import Dispatcher, call_handler
from maim_message.client.configuration import ClientConfig
from maim_message.client.stats import Stats
from maim_protocol.envelope import CUSTOM_PREFIX, SYS_STD, Envelope
from maim_protocol.message import decode_payload

# The handler of this type takes every custom type that has none of its own.
ANY_CUSTOM = f"{CUSTOM_PREFIX}*"


class Callbacks(Protocol):
    """The part of a config that holds callbacks; read at every call, so that it may change."""

    on_connect: Callable[[str, ClientConfig], Any] | None
    on_disconnect: Callable[[str, str | None], Any] | None
    on_message: Callable[[Any, dict[str, Any]], Any] | None
    on_decode_error: Callable[[bytes, dict[str, Any], Exception], Any] | None
    custom_handlers: dict[str, Callable[..., Any]]
    stats_callback: Callable[[dict[str, Any]], Any] | None


class Window(Protocol):
    """Knows which messages were handed over, so that none is twice."""

    def is_new(self, sender: object, msg_id: str) -> bool: ...

    def forget(self, sender: object, msg_id: str) -> None: ...


class Source(Protocol):
    """Where a message came from."""

    @property
    def label(self) -> str: ...

    @property
    def window(self) -> Window: ...

    def acknowledge(self, msg_id: str) -> None: ...


class Inbox:
    """Hands events to callbacks, in order, through the dispatcher."""

    def __init__(self, callbacks: Callbacks, dispatcher: Dispatcher, stats: Stats) -> None:
        self.dispatcher = dispatcher
        self._callbacks = callbacks
        self._stats = stats

    def deliver(self, source: Source, envelope: Envelope, size_bytes: int) -> None:
        """Acknowledge a message and hand it to its callback, both when its turn comes.

        Only then is it known whether it is a duplicate, which no callback sees: were it looked
        for earlier, a message dropped by `stop` in between would count as handed over.
        """
        self.dispatcher.submit(_Delivery(source, envelope, size_bytes, self._handle, self._stats))

    def connected(self, label: str, config: ClientConfig) -> None:
        """Tell the user that a link came up, for the first time or again."""
        self._notify("on_connect", self._callbacks.on_connect, label, config)

    def disconnected(self, label: str, error: str | None) -> None:
        """Tell the user that a link is gone; `error` is `None` when the user asked for it."""
        self._notify("on_disconnect", self._callbacks.on_disconnect, label, error)

    def report(self, stats: dict[str, Any]) -> None:
        """Hand the counters to the user."""
        self._notify("stats_callback", self._callbacks.stats_callback, stats)

    def _notify(self, what: str, callback: Callable[..., Any] | None, *arguments: Any) -> None:
        if callback is not None:
            self.dispatcher.submit(_Notification(what, callback, arguments))

    def _handle(self, label: str, envelope: Envelope) -> Any:
        metadata = envelope.meta
        metadata["msg_id"] = envelope.msg_id
        metadata["type"] = envelope.type
        metadata["connection_uuid"] = label
        if envelope.type == SYS_STD:
            on_message = self._callbacks.on_message
            if on_message is None:
                return None
            return self._decoded(envelope, metadata, decode_payload, on_message)
        handlers = self._callbacks.custom_handlers
        handler = handlers.get(envelope.type) or handlers.get(ANY_CUSTOM)
        if handler is None:
            return None
        self._stats.custom_messages_processed += 1
        return self._decoded(
            envelope, metadata, msgspec.json.decode, partial(call_handler, handler)
        )

    def _decoded(
        self,
        envelope: Envelope,
        metadata: dict[str, Any],
        decode: Callable[[Any], Any],
        handle: Callable[[Any, dict[str, Any]], Any],
    ) -> Any:
        try:
            payload = decode(envelope.payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            on_decode_error = self._callbacks.on_decode_error
            if on_decode_error is None:
                raise ValueError(f"acknowledged and lost, its payload is no use: {error}") from None
            return on_decode_error(bytes(envelope.payload), metadata, error)
        return handle(payload, metadata)


class _Delivery(msgspec.Struct):
    source: Source
    envelope: Envelope
    size_bytes: int
    handle: Callable[[str, Envelope], Any]
    stats: Stats
    sender: Any = None

    def start(self) -> Any:
        msg_id = self.envelope.msg_id
        if msg_id:
            # Read once: the callback may change the metadata that it is given.
            self.sender = self.envelope.meta.get("sender_user")
            self.source.acknowledge(msg_id)
            if not self.source.window.is_new(self.sender, msg_id):
                self.stats.duplicate_messages_ignored += 1
                return None
        return self.handle(self.source.label, self.envelope)

    def cut_off(self) -> None:
        # It comes again if the acknowledgement did not arrive: another callback may finish it.
        if self.envelope.msg_id:
            self.source.window.forget(self.sender, self.envelope.msg_id)

    def __str__(self) -> str:
        return f"{self.envelope.type} {self.envelope.msg_id or 'without msg_id'}"


class _Notification(msgspec.Struct):
    what: str
    callback: Callable[..., Any]
    arguments: tuple[Any, ...]
    size_bytes: int = 0

    def start(self) -> Any:
        return self.callback(*self.arguments)

    def cut_off(self) -> None:
        pass

    def __str__(self) -> str:
        return self.what
