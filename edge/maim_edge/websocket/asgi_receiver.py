"""What a WebSocket holds for an ASGI application: events to receive, and leave to send."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

CONNECT = {"type": "websocket.connect"}


class Flow(Protocol):
    """What stops a peer that sends faster than the application receives."""

    def pause_transport(self) -> None:
        """Read nothing more."""

    def resume_transport(self) -> None:
        """Read again."""


class AsgiReceiver:
    """A `Receiver` that an ASGI application empties; `flow` pauses at `most` messages."""

    unchecked_bytes: float = math.inf

    def __init__(self, most: int) -> None:
        self.flow: Flow | None = None
        self._most = most
        self._events: deque[dict[str, Any]] = deque([CONNECT])
        self._end: dict[str, Any] | None = None
        self._event: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the WebSocket is over."""
        return self._end is not None

    async def receive(self) -> dict[str, Any]:
        """Wait for the next event; behind the last one always that one."""
        while not self._events and self._end is None:
            self._event = asyncio.get_running_loop().create_future()
            await self._event
        if not self._events:
            return self._end or {}
        event = self._events.popleft()
        if not self._events and self.flow is not None:
            self.flow.resume_transport()
        return event

    async def writable(self) -> None:
        """Wait until the peer takes what is written, or is gone."""
        while self._writable is not None:
            await self._writable

    def take_text(self, data: bytes) -> None:
        """Take a text message."""
        self._put(message_event(data, text=True))

    def take_binary(self, data: bytes) -> None:
        """Take a binary message."""
        self._put(message_event(data, text=False))

    def pause(self) -> None:
        """Do nothing: it keeps what comes anyway."""

    def resume(self, on_drained: Callable[[], None]) -> None:
        """Do nothing: the application asks."""

    def drop(self) -> None:
        """Forget the messages that wait."""
        self._events.clear()

    def end(self, code: int, reason: str) -> None:
        """Take the end; the first call counts."""
        if self._end is None:
            self._end = {"type": "websocket.disconnect", "code": code, "reason": reason}
            self._wake()
            self.resume_writing()

    def protocol_error_message(self, code: int, reason: str) -> bytes | None:
        """Have none: ASGI has no word for that."""

    def pinged(self) -> None:
        """Do nothing: ASGI has no word for that."""

    def ponged(self) -> None:
        """Do nothing."""

    def pause_writing(self) -> None:
        """Stop the application's sending."""
        if self._end is None and self._writable is None:
            self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """Let the application send again."""
        waiting, self._writable = self._writable, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def messages(self) -> list[bytes]:
        """Give away the messages that wait."""
        events, self._events = self._events, deque()
        return [message_data(event) for event in events if event is not CONNECT]

    def end_of_all(self) -> tuple[int, str] | None:
        """Tell the end, if it has come."""
        return (self._end["code"], self._end["reason"]) if self._end is not None else None

    @property
    def writing_paused(self) -> bool:
        """Whether the peer does not take what is written."""
        return self._writable is not None

    def _put(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._wake()
        if len(self._events) >= self._most and self.flow is not None:
            self.flow.pause_transport()

    def _wake(self) -> None:
        if self._event is not None and not self._event.done():
            self._event.set_result(None)


def message_event(data: bytes, text: bool) -> dict[str, Any]:
    """Make the event of a message; text has to be UTF-8."""
    if text:
        return {"type": "websocket.receive", "text": data.decode()}
    return {"type": "websocket.receive", "bytes": data}


def message_data(event: dict[str, Any]) -> bytes:
    """Read the bytes of a message back from its event."""
    text: str | None = event.get("text")
    data: bytes = text.encode() if text is not None else event["bytes"]
    return data
