"""Between a WebSocket and its listener: messages wait in order while it pauses, then the end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from maim_edge.websocket.interface import UNCHECKED_BYTES, Listener


class Receiver(Protocol):
    """Where a WebSocket puts what it has parsed, a listener's or an ASGI application's."""

    unchecked_bytes: float

    def take_text(self, data: bytes) -> None:
        """Take a text message; up to `unchecked_bytes` it is UTF-8."""

    def take_binary(self, data: bytes) -> None:
        """Take a binary message."""

    def pause(self) -> None:
        """Hand nothing over."""

    def resume(self, on_drained: Callable[[], None]) -> None:
        """Hand over what waits, soon, and call `on_drained` when nothing waits any more."""

    def drop(self) -> None:
        """Forget what waits: the WebSocket is being closed from here."""

    def end(self, code: int, reason: str) -> None:
        """Take the end; the first call counts."""

    def protocol_error_message(self, code: int, reason: str) -> bytes | None:
        """Give a last text message to a peer that broke the protocol."""

    def pinged(self) -> None:
        """Hear that a ping was written."""

    def ponged(self) -> None:
        """Hear that the peer answered one."""

    def pause_writing(self) -> None:
        """Stop whoever writes."""

    def resume_writing(self) -> None:
        """Let it write again."""


class ListenerReceiver:
    """Hands messages and the one end to a listener, what came before it too, but never at once.

    What waits is bounded by its owner, who stops reading when the listener pauses.
    """

    __slots__ = ("_dropped", "_end", "_listener", "_on_drained", "_paused", "_waiting")

    unchecked_bytes: float = UNCHECKED_BYTES

    def __init__(self, listener: Listener, backlog: Iterable[bytes]) -> None:
        self._listener = listener
        self._paused = False
        self._dropped = False
        self._on_drained: Callable[[], None] | None = None
        self._end: tuple[int, str] | None = None
        self._waiting: deque[bytes] | None = deque(backlog)
        self._pass_on_soon()

    def take(self, data: bytes) -> None:
        """Hand a message over, now or in its turn."""
        if self._waiting is None:
            self._listener.on_message(data)
        else:
            self._waiting.append(data)

    take_text = take_binary = take

    def pause(self) -> None:
        """Keep what comes, unless it has been dropped: nothing comes then but the end."""
        if self._dropped:
            return
        self._paused = True
        self._on_drained = None
        if self._waiting is None:
            self._waiting = deque()

    def resume(self, on_drained: Callable[[], None]) -> None:
        """Hand over what waits, soon; more is read after that, or it would pile up here."""
        if self._paused:
            self._paused = False
            self._on_drained = on_drained
            self._pass_on_soon()

    def drop(self) -> None:
        """Forget what waits, except the end: the listener wants no more."""
        self._dropped, self._paused = True, False
        if self._waiting is not None:
            self._waiting.clear()
            self._pass_on_soon()

    def end(self, code: int, reason: str) -> None:
        """Tell the end when everything before it has been handed over; the first call counts."""
        if self._end is not None:
            return
        self._end = (code, reason)
        if self._waiting is None:
            self._tell_end(code, reason)

    def pinged(self) -> None:
        """Tell the listener of a ping."""
        self._listener.on_ping()

    def ponged(self) -> None:
        """Tell the listener of its answer."""
        self._listener.on_pong()

    def protocol_error_message(self, code: int, reason: str) -> bytes | None:
        """Ask the listener what to say to a peer that broke the protocol."""
        return self._listener.on_protocol_error(code, reason)

    def pause_writing(self) -> None:
        """Stop the listener's writing."""
        self._listener.pause_writing()

    def resume_writing(self) -> None:
        """Let the listener write again."""
        self._listener.resume_writing()

    def _pass_on_soon(self) -> None:
        asyncio.get_running_loop().call_soon(self._pass_on)

    def _pass_on(self) -> None:
        while self._waiting and not self._paused:
            self._listener.on_message(self._waiting.popleft())
        if self._paused or self._waiting is None:
            return
        self._waiting = None
        on_drained, self._on_drained = self._on_drained, None
        if on_drained is not None:
            on_drained()
        if self._end is not None:
            self._tell_end(*self._end)

    def _tell_end(self, code: int, reason: str) -> None:
        listener, self._listener = self._listener, NULL_LISTENER
        listener.on_closed(code, reason)


class NullListener:
    """Who listens to a WebSocket that has ended."""

    def on_ping(self) -> None:
        """Take no notice."""

    def on_pong(self) -> None:
        """Take no notice."""

    def on_message(self, data: bytes) -> None:
        """Take no notice."""

    def pause_writing(self) -> None:
        """Take no notice."""

    def resume_writing(self) -> None:
        """Take no notice."""

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        """Have no last words."""

    def on_closed(self, code: int, reason: str) -> None:
        """Take no notice."""


NULL_LISTENER = NullListener()
