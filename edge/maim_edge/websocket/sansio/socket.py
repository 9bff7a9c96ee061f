"""A WebSocket of the websockets-sansio protocol class that belongs to a listener."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from websockets.exceptions import InvalidState

from maim_edge.websocket.asgi_receiver import message_data
from maim_edge.websocket.frames import CONTINUATION, TEXT, head
from maim_edge.websocket.interface import CLOSE_SECONDS, PIECE_BYTES, Listener
from maim_edge.websocket.receiver import ListenerReceiver


class Connection(Protocol):
    """The protocol object of the connection; most of it is uvicorn's and has no public type."""

    conn: Any
    queue: Any
    transport: Any
    loop: asyncio.AbstractEventLoop
    close_sent: bool
    close_timer: asyncio.TimerHandle | None

    def flush(self) -> None:
        """Write what `conn` has composed."""

    def pause_transport(self) -> None:
        """Read nothing more."""

    def resume_transport(self) -> None:
        """Read again."""


class SansIOSocket:
    """A `DirectSocket`, and in the place of uvicorn's queue of ASGI events."""

    def __init__(self, protocol: Connection, listener: Listener) -> None:
        self._protocol = protocol
        self._ended = False
        self.in_pieces = False
        backlog, ends = _drain(protocol.queue)
        self.receiver = ListenerReceiver(listener, backlog)
        for event in ends:
            self.put_nowait(event)

    def send(self, message: bytes) -> None:
        """Write one text message in one frame."""
        self.send_all([message])

    def send_all(self, messages: Sequence[bytes]) -> None:
        """Write several text messages at once."""
        if self._writable:
            self._write([frame for data in messages for frame in self._frame(data)])

    def send_piece(self, piece: bytes, first: bool, last: bool) -> None:
        """Write a fragment of a large text message."""
        if self._writable:
            self.in_pieces = not last
            self._write(self._frame(piece, first, last))

    def ping(self) -> None:
        """Ask the peer for a sign that it has read what was sent."""
        if self._writable:
            self._protocol.conn.send_ping(b"")
            self._write(self._protocol.conn.data_to_send())
            self.receiver.pinged()

    def pause_reading(self) -> None:
        """Hand over no message until `resume_reading`."""
        self.receiver.pause()
        if self._writable:
            self._protocol.pause_transport()

    def resume_reading(self) -> None:
        """Go on handing messages over."""
        self.receiver.resume(self._protocol.resume_transport)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self.receiver.drop()
        protocol = self._protocol
        if self._writable:
            with suppress(InvalidState):
                protocol.conn.send_close(code, reason)
            protocol.flush()
            protocol.close_sent = True
            protocol.resume_transport()
            protocol.close_timer = protocol.loop.call_later(CLOSE_SECONDS, protocol.transport.abort)

    def abort(self) -> None:
        """Drop the connection."""
        self.receiver.drop()
        self._protocol.transport.abort()

    @property
    def pending_bytes(self) -> int:
        """How many written bytes the peer has yet to take."""
        size: int = self._protocol.transport.get_write_buffer_size()
        return size

    def put_nowait(self, event: Any) -> None:
        """Take the ASGI event of the end, all that uvicorn's class puts into its queue now."""
        if not self._ended:
            self._ended = True
            close = self._protocol.conn.close_rcvd
            code, reason = event["code"], event.get("reason") or ""
            self.receiver.end(*((code, reason) if close is None else (close.code, close.reason)))

    @property
    def _writable(self) -> bool:
        return not (self._ended or self._protocol.close_sent)

    def _frame(self, data: bytes, first: bool = True, last: bool = True) -> list[bytes]:
        conn = self._protocol.conn
        if not conn.extensions:
            return [head(TEXT if first else CONTINUATION, len(data), last), data]
        with suppress(InvalidState):
            (conn.send_text if first else conn.send_continuation)(data, last)
        parts: list[bytes] = conn.data_to_send()
        return parts

    def _write(self, parts: list[bytes]) -> None:
        if sum(map(len, parts)) < PIECE_BYTES:
            parts = [b"".join(parts)]
        # Not `writelines`: in CPython 3.12.0 to 3.12.8 and 3.13.0 it never pauses who writes.
        for part in parts:
            self._protocol.transport.write(part)


def _drain(queue: asyncio.Queue[Any]) -> tuple[list[bytes], list[Any]]:
    """Take what a queue of ASGI events holds: messages, and events of the end."""
    events = [queue.get_nowait() for _ in range(queue.qsize())]
    messages = [message_data(event) for event in events if event["type"] == "websocket.receive"]
    return messages, [event for event in events if event["type"] == "websocket.disconnect"]
