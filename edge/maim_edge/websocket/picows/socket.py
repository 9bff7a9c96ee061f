"""An open WebSocket on picows, until both sides have said goodbye or the connection is lost."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Sequence
from enum import IntEnum

from picows import WSMsgType

from maim_edge.websocket.asgi_receiver import AsgiReceiver
from maim_edge.websocket.fragments import Violation
from maim_edge.websocket.frames import (
    CONTINUATION,
    EMPTY_PING,
    PONG,
    TEXT,
    close_frame,
    frame,
    head,
)
from maim_edge.websocket.interface import (
    ABNORMAL,
    CLOSE_SECONDS,
    LINGER_SECONDS,
    MEMORY_IS_TAKEN,
    PIECE_BYTES,
    RESTARTED,
    TOO_LARGE,
    TRY_AGAIN,
    Listener,
)
from maim_edge.websocket.keepalive import PingAction, PingState, PingTiming
from maim_edge.websocket.picows.reader import PicowsReader
from maim_edge.websocket.picows.server_context import ServerContext
from maim_edge.websocket.receiver import ListenerReceiver, Receiver

# picows keeps a buffer as large as the largest frame that it composed in it ...
COMPOSED_BYTES = 1000
# ... and takes larger ones in a buffer that has room for their head.
HEAD_BYTES = 14

KEEPALIVE_TIMEOUT = close_frame(1011, "keepalive ping timeout")


class State(IntEnum):
    """What may still pass."""

    OPEN = 0
    CLOSING = 1  # we have sent a close frame, and wait for the peer's
    OVER = 2  # whatever comes is dropped


class PicowsSocket:
    """A `DirectSocket`, and the protocol of its transport."""

    __slots__ = (
        "_in_pieces",
        "_owed_pong",
        "_ping_state",
        "_reader",
        "_receiver",
        "_server_context",
        "_state",
        "_timer",
        "_transport_paused",
        "transport",
    )

    def __init__(
        self, transport: asyncio.Transport, inbox: AsgiReceiver, context: ServerContext
    ) -> None:
        self.transport = transport
        self._server_context = context
        self._receiver: Receiver = inbox
        inbox.flow = self
        self._reader = PicowsReader(transport, inbox, self, context.max_size)
        self._state = State.OPEN
        self._transport_paused = False
        self._in_pieces = False
        self._owed_pong: bytes | None = None
        self._ping_state = PingState()
        self._timer: TimerHandle | None = None
        context.connections.add(self)
        if context.keepalive is not None:
            context.keepalive.add(self)

    @property
    def open(self) -> bool:
        """Whether messages may be written."""
        return not self._state

    def receives_for(self, receiver: Receiver) -> bool:
        """Whether messages still go to this receiver."""
        return self._receiver is receiver

    def hand_over(self, inbox: AsgiReceiver, listener: Listener) -> None:
        """Belong to a listener from now on; it hears of what the inbox holds."""
        receiver = ListenerReceiver(listener, inbox.messages())
        end = inbox.end_of_all()
        if end is not None:
            receiver.end(*end)
        elif inbox.writing_paused:
            listener.pause_writing()
        inbox.flow = None
        self._receiver = self._reader.receiver = receiver
        self.resume_transport()

    def send(self, message: bytes) -> None:
        """Write one text message in one frame."""
        self._send(WSMsgType.TEXT, message)

    def send_binary(self, message: bytes) -> None:
        """Write one binary message in one frame."""
        self._send(WSMsgType.BINARY, message)

    def send_all(self, messages: Sequence[bytes]) -> None:
        """Write several text messages at once."""
        if not self._state:
            parts = [part for data in messages for part in (head(TEXT, len(data)), data)]
            self.transport.write(b"".join(parts))

    def send_piece(self, piece: bytes, first: bool, last: bool) -> None:
        """Write a fragment of a large text message."""
        if not self._state:
            self._in_pieces = not last
            opcode = TEXT if first else CONTINUATION
            # Not `writelines`: in CPython 3.12.0 to 3.12.8 and 3.13.0 it never pauses who writes.
            self.transport.write(head(opcode, len(piece), final=last) + piece)

    def pause_reading(self) -> None:
        """Hand over no message until `resume_reading`."""
        self._receiver.pause()
        if not self._state:
            self.pause_transport()

    def resume_reading(self) -> None:
        """Go on handing messages over."""
        self._receiver.resume(self.resume_transport)

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self._receiver.drop()
        if not self._state:
            self.transport.write(close_frame(code, reason))
            self._leave(State.CLOSING)
            self._abort_in(CLOSE_SECONDS)

    def abort(self) -> None:
        """Drop the connection."""
        self._receiver.drop()
        self._leave(State.OVER)
        self.transport.abort()

    @property
    def pending_bytes(self) -> int:
        """How many written bytes the peer has yet to take."""
        return self.transport.get_write_buffer_size()

    def data_received(self, data: bytes) -> None:
        """Parse what the peer sends."""
        if self._state is State.OVER:
            return
        try:
            self._reader.feed(data)
        except Violation as violation:
            self._fail(violation.code, violation.reason)

    def eof_received(self) -> None:
        """Let the transport close: half a WebSocket is none."""

    def pause_writing(self) -> None:
        """Stop whoever writes: the peer does not take it."""
        self._owed_pong = b""
        self._receiver.pause_writing()

    def resume_writing(self) -> None:
        """Let it write again, and answer the last ping that came meanwhile."""
        pong, self._owed_pong = self._owed_pong, None
        if pong and not self._state:
            self.transport.write(pong)
        self._receiver.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the end, and let go of everything."""
        self._leave(State.OVER)
        self._server_context.connections.discard(self)
        self._server_context.memory.hold(self, 0)
        if self._timer is not None:
            self._timer.cancel()
        self._reader.release()
        self._receiver.end(ABNORMAL, "")

    def shutdown(self) -> None:
        """End it at once, as uvicorn asks when it stops."""
        if not self._state:
            self.transport.write(close_frame(RESTARTED, ""))
            self._leave(State.OVER)
            self._receiver.end(RESTARTED, "")
        self.transport.close()

    def pause_transport(self) -> None:
        """Read nothing more from the transport."""
        if not self._transport_paused and not self.transport.is_closing():
            self._transport_paused = True
            self.transport.pause_reading()

    def resume_transport(self) -> None:
        """Read from the transport again."""
        if self._transport_paused:
            self._transport_paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def on_ping(self, data: bytes) -> None:
        """Answer; while the peer takes nothing keep the last answer, or pings fill our memory."""
        if self._owed_pong is not None:
            self._owed_pong = frame(PONG, data)
        elif not self._state:
            self.transport.write(frame(PONG, data))

    def on_pong(self) -> None:
        """Note that the peer is alive."""
        self._ping_state.answered()
        self._receiver.ponged()

    def on_close(self, code: int, reason: str) -> None:
        """Answer, or take it for the answer; RFC 6455 lets the server close the connection."""
        if self._state is State.OVER:
            return
        if self._state is State.OPEN:
            self.transport.write(close_frame(code, reason))
        self._leave(State.OVER)
        self._receiver.end(code, reason)
        self._abort_in(CLOSE_SECONDS)
        self.transport.close()

    def on_held(self, size: int) -> None:
        """Count what an unfinished message takes."""
        self._server_context.memory.hold(self, size)

    def give_up(self) -> None:
        """End the connection for the sake of others: its unfinished message is too large now."""
        self._fail(TRY_AGAIN, MEMORY_IS_TAKEN)
        self._reader.give_up()
        self._server_context.memory.hold(self, 0)

    def ping(self) -> None:
        """Ask the peer for a sign that it has read what was sent."""
        if not self._state:
            self.transport.write(EMPTY_PING)
            self._receiver.pinged()

    def tick(self, now: int, timing: PingTiming) -> None:
        """Ping the peer, or drop it."""
        match self._ping_state.tick(now, timing, self.pending_bytes, self._transport_paused):
            case PingAction.PING:
                self.ping()
            case PingAction.DROP:
                self.transport.write(KEEPALIVE_TIMEOUT)
                self.transport.abort()

    def _send(self, kind: WSMsgType, message: bytes) -> None:
        if self._state:
            return
        size = len(message)
        if size <= COMPOSED_BYTES:
            self._reader.writer.send(kind, message)
        elif size <= PIECE_BYTES:
            room = bytearray(HEAD_BYTES)
            room += message
            self._reader.writer.send_reuse_external_bytearray(kind, room, HEAD_BYTES)
        else:
            self.transport.write(head(kind.value, size))
            self.transport.write(message)

    def _fail(self, code: int, reason: str) -> None:
        """Say goodbye to a peer that broke the protocol, and drop it when it has read that."""
        if self._state is State.CLOSING:
            self.transport.abort()
        if self._state:
            return
        # Between the pieces of a message there is no room for another one.
        words = None if self._in_pieces else self._receiver.protocol_error_message(code, reason)
        if words is not None:
            self.transport.write(frame(TEXT, words))
        self.transport.write(close_frame(code, reason))
        # Not while the peer is likely to write still: some clients get confused then.
        if code not in (TOO_LARGE, TRY_AGAIN) and self.transport.can_write_eof():
            self.transport.write_eof()
        self._leave(State.OVER)
        self._receiver.end(code, reason)
        self._abort_in(LINGER_SECONDS)

    def _leave(self, state: State) -> None:
        """Pass no more messages; the rest is read lest it stays in the way."""
        self._state = state
        self._reader.control_only = True
        self._owed_pong = None
        self.resume_transport()
        if self._server_context.keepalive is not None:
            self._server_context.keepalive.discard(self)

    def _abort_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)
