"""A WebSocket of the websockets-sansio protocol class that belongs to a listener."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.exceptions import InvalidState

from maim_edge.websocket_direct import CLOSE_SECONDS, Listener
from maim_edge.websocket_gate import Gate

if TYPE_CHECKING:
    from maim_edge.websocket_protocol import EdgeWebSocketProtocol


class SansIOSocket:
    """A `DirectSocket`, and in the place of uvicorn's queue of ASGI events."""

    def __init__(self, protocol: EdgeWebSocketProtocol, listener: Listener) -> None:
        self._protocol = protocol
        self._ended = False
        backlog, ends = _drain(protocol.queue)
        self.gate = Gate(listener, backlog)
        for event in ends:
            self.put_nowait(event)

    def send(self, message: bytes) -> None:
        """Write one text message in one frame."""
        self._write(self._protocol.conn.send_text, message)

    def send_all(self, messages: Sequence[bytes]) -> None:
        """Write several text messages at once."""
        send_text = self._protocol.conn.send_text
        if self._writable:
            with suppress(InvalidState):
                for message in messages:
                    send_text(message)
            self._protocol.flush()

    def send_piece(self, piece: bytes, first: bool, last: bool) -> None:
        """Write a fragment of a large text message."""
        conn = self._protocol.conn
        self._write(conn.send_text if first else conn.send_continuation, piece, last)

    def pause_reading(self) -> None:
        """Hand over no message until `resume_reading`."""
        if not self._ended and not self._protocol.close_sent:
            self.gate.pause()
            self._protocol.hold_reading()

    def resume_reading(self) -> None:
        """Go on handing messages over."""
        self.gate.resume()
        self._protocol.go_on_reading()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self.gate.drop()
        protocol = self._protocol
        if not self._writable:
            return
        self._write(protocol.conn.send_close, code, reason)
        protocol.close_sent = True
        protocol.go_on_reading()
        protocol.close_timer = protocol.loop.call_later(CLOSE_SECONDS, protocol.transport.abort)

    def abort(self) -> None:
        """Drop the connection."""
        self.gate.drop()
        self._protocol.transport.abort()

    @property
    def pending_bytes(self) -> int:
        """How many written bytes the peer has yet to take."""
        return self._protocol.transport.get_write_buffer_size()

    def put_nowait(self, event: Any) -> None:
        """Take an ASGI event of uvicorn's class for the listener."""
        if event["type"] == "websocket.receive":
            self.gate.take(event["bytes"])
        elif not self._ended:
            self._ended = True
            close = self._protocol.conn.close_rcvd
            code, reason = event["code"], event.get("reason") or ""
            self.gate.end(*((code, reason) if close is None else (close.code, close.reason)))

    @property
    def _writable(self) -> bool:
        return not (self._ended or self._protocol.close_sent)

    def _write(self, send: Callable[..., None], *args: Any) -> None:
        if self._writable:
            with suppress(InvalidState):
                send(*args)
            self._protocol.flush()


def _drain(queue: asyncio.Queue[Any]) -> tuple[list[bytes], list[Any]]:
    """Take what a queue of ASGI events holds: messages, and events of the end."""
    events = [queue.get_nowait() for _ in range(queue.qsize())]
    messages = [event["bytes"] for event in events if event["type"] == "websocket.receive"]
    return messages, [event for event in events if event["type"] == "websocket.disconnect"]
