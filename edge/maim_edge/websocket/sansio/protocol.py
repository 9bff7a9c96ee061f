"""uvicorn's sans-I/O WebSocket protocol with what a server of untrusted clients needs besides.

It knows nothing of our product: it looks at nothing before the upgrade is accepted, can hand a
connection over to a listener, says why before it closes on a broken protocol, drops a peer that
answers neither ping nor close, and keeps credentials in query strings out of the log.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode

from maim_edge.websocket.asgi_receiver import message_event
from maim_edge.websocket.frames import is_utf8
from maim_edge.websocket.interface import (
    ABNORMAL,
    CLOSE_SECONDS,
    EARLY_BYTES,
    EXTENSION,
    INVALID_DATA,
    LINGER_SECONDS,
    MEMORY_IS_TAKEN,
    PIECE_BYTES,
    TOO_LARGE,
    TRY_AGAIN,
    UNCHECKED_BYTES,
    DirectSocket,
    Listener,
)
from maim_edge.websocket.memory_budget import UNCOUNTED_BYTES, MemoryBudget
from maim_edge.websocket.sansio.reader import read_exact
from maim_edge.websocket.sansio.socket import SansIOSocket
from maim_edge.websocket.upgrade import error_response

quiet = logging.getLogger("maim_edge.websocket")
# A filter and not a level: somebody may turn everything on, and lines below would hold the key.
quiet.addFilter(lambda record: record.levelno >= logging.WARNING)


class EdgeWebSocketProtocol(WebSocketsSansIOProtocol):
    """A protocol class for `uvicorn.Config(ws=…)`.

    The application finds the hand-over of `websocket_direct` in `scope["extensions"]`.
    """

    def __init__(self, *args: Any, memory: MemoryBudget | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._memory = memory or MemoryBudget()
        self._counted = False
        # uvicorn and websockets log every handshake with its query string.
        self.logger = self.conn.logger = quiet
        reader = self.conn.reader
        reader.read_exact = lambda n: read_exact(reader, n)  # type: ignore[method-assign]
        self._early: bytearray | None = bytearray()
        self._unsent_at_ping = 0
        self._linger: TimerHandle | None = None
        self._owed_pong = b""
        self._direct: SansIOSocket | None = None

    async def run_asgi(self) -> None:
        """Run the application; when it returns, its connection ends unless it has a listener."""
        extensions = cast(dict[str, Any], self.scope["extensions"])
        extensions[EXTENSION] = self._hand_over
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            self.logger.exception("the application failed")
        finally:
            self.send_500_response()
            self.scope = cast(Any, None)
            if self._direct is None and self.close_timer is None:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application; RFC 6455 section 7.1.5: without a close frame it is 1006."""
        if self.handshake_complete and self.conn.close_rcvd is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": ABNORMAL})
        if self._linger is not None:
            self._linger.cancel()
        self._memory.hold(self, 0)
        super().connection_lost(exc)
        self._release()

    def pause_writing(self) -> None:
        """Hold the application back: the peer does not take what is written."""
        super().pause_writing()
        if self._direct is not None:
            self._direct.receiver.pause_writing()

    def resume_writing(self) -> None:
        """Let the application go on, and answer the last ping that came meanwhile."""
        super().resume_writing()
        pong, self._owed_pong = self._owed_pong, b""
        if pong and not self.close_sent:
            self.transport.write(pong)
        if self._direct is not None:
            self._direct.receiver.resume_writing()

    def flush(self) -> None:
        """Write what the protocol has composed."""
        self.transport.write(b"".join(self.conn.data_to_send()))

    def pause_transport(self) -> None:
        """Read nothing more."""
        self.read_paused = True
        self.transport.pause_reading()

    def resume_transport(self) -> None:
        """Read again."""
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Parse what the peer sends, but keep it unread until the upgrade is accepted."""
        if not self.handshake_initiated:
            super().data_received(data)
            if not self.handshake_initiated:
                self._end_unreadable()
        elif self._early is not None:
            self._early += data
            if len(self._early) > EARLY_BYTES:
                self.transport.pause_reading()
        elif self._linger is None:
            self.conn.receive_data(data)
            # What came before a broken frame first; the answer to that waits in `conn`.
            self.handle_events()
            if self.conn.parser_exc is not None:
                self.handle_parser_exception()
            self._count()

    def give_up(self) -> None:
        """End the connection for the sake of others: its unfinished message is too large now."""
        self.conn.fail(TRY_AGAIN, MEMORY_IS_TAKEN)
        self.handle_parser_exception()
        self.frames = []
        self.conn.reader.buffer.clear()
        self._memory.hold(self, 0)

    def send_500_response(self) -> None:
        """Refuse for an application that gave no answer, in the form of every refusal."""
        if not self.initial_response and not self.handshake_complete:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self.transport.write(error_response(status, status.phrase))

    async def send(self, message: Any) -> None:
        """Send an ASGI event."""
        await super().send(message)
        match message["type"]:
            case "websocket.accept":
                # Not now: who takes the connection over at once shall be ready for it.
                self.loop.call_soon(self.loop.call_soon, self._take_early)
            case "websocket.http.response.body" if not message.get("more_body"):
                # A refusal is an answer too; uvicorn would report an application that gave none.
                self.handshake_complete = True
            case "websocket.close" if self.close_timer is not None:
                self.close_timer.cancel()
                self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def handle_cont(self, event: Frame) -> None:
        """Gather fragments so that a byte takes a byte: an empty one must cost nothing."""
        if event.data:
            self._gather(event.data)
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """Hand a message to the listener or the application, a text one only if it is UTF-8.

        A large one reaches a listener unchecked: that takes a while, which it can divide.
        """
        data = bytes(self.frames[0] if len(self.frames) == 1 else b"".join(self.frames))
        self.frames = []
        if self.close_sent:
            return
        text, direct = self.curr_msg_data_type == "text", self._direct
        unchecked = not text or (direct is not None and len(data) > UNCHECKED_BYTES)
        if not unchecked and not is_utf8(data):
            self.conn.fail(INVALID_DATA, "a text frame is not UTF-8")
            self.handle_parser_exception()
        elif direct is not None:
            direct.receiver.take(data)
        else:
            self.queue.put_nowait(cast(Any, message_event(data, text)))
            if not self.read_paused:
                self.pause_transport()

    def handle_ping(self) -> None:
        """Answer; while the peer takes nothing keep the last answer, or pings fill our memory."""
        if self.writable.is_set():
            self.flush()
        # The answers to all pings of a segment are there with the first of them.
        elif pongs := self.conn.data_to_send():
            self._owed_pong = pongs[-1]

    def handle_close(self, event: Frame) -> None:
        """Answer a close frame, and wait a while for the peer to take what is still written."""
        super().handle_close(event)
        if self.transport.get_write_buffer_size():
            self.close_timer = self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

    def handle_pong(self, event: Frame) -> None:
        """Note that the peer is alive, and tell the listener."""
        super().handle_pong(event)
        if self._direct is not None:
            self._direct.receiver.ponged()

    def send_keepalive_ping(self) -> None:
        """Ping, and remember how much the peer has yet to take before it sees it."""
        super().send_keepalive_ping()
        if self._direct is not None:
            self._direct.receiver.pinged()
        self._unsent_at_ping = self.transport.get_write_buffer_size()

    def keepalive_timeout(self) -> None:
        """Drop a peer that did not answer a ping, unless it could not have.

        Its pong may wait behind what the application does not take, our ping behind what the
        peer is still taking.
        """
        unsent = self.transport.get_write_buffer_size()
        if self.read_paused or unsent < self._unsent_at_ping:
            self._unsent_at_ping = unsent
            timeout = cast(float, self.ping_timeout)
            self.pong_timer = self.loop.call_later(timeout, self.keepalive_timeout)
            return
        super().keepalive_timeout()
        self.transport.abort()

    def handle_parser_exception(self) -> None:
        """Say goodbye to a peer that broke the protocol, and close when it has read that."""
        close = self.conn.close_sent
        if close is None or self.close_sent:
            self.transport.abort()
            return
        event = {"type": "websocket.disconnect", "code": close.code, "reason": close.reason}
        protocol_error_message = self._protocol_error_message(close.code, close.reason)
        self.queue.put_nowait(cast(Any, event))
        self.transport.write(protocol_error_message)
        self.flush()
        # Not while the peer is likely to write still: some clients get confused then.
        if close.code not in (TOO_LARGE, TRY_AGAIN) and self.transport.can_write_eof():
            self.transport.write_eof()
        self.close_sent = True
        self.stop_keepalive()
        self._linger = self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)
        self.transport.resume_reading()

    def _release(self) -> None:
        """Break the circles of references: buffers would stay until the collector looks."""
        self.conn.parser.close()
        self.conn.parser_exc = None  # its traceback leads here
        self.conn.reader.buffer = bytearray()
        del self.conn.reader.read_exact
        if self._direct is not None:
            self._direct = None
            self.queue = asyncio.Queue()

    def _count(self) -> None:
        """Tell what an unfinished message takes."""
        held = len(self.conn.reader.buffer) + sum(map(len, self.frames))
        if held > UNCOUNTED_BYTES or self._counted:
            self._counted = held > UNCOUNTED_BYTES
            self._memory.hold(self, held if self._counted else 0)

    def _gather(self, data: bytes | bytearray | memoryview) -> None:
        last: Any = self.frames[-1]
        if len(last) + len(data) > PIECE_BYTES:
            self.frames.append(bytes(data))
            return
        if not isinstance(last, bytearray):
            last = bytearray(last)
            self.frames[-1] = last
        last += data

    def _hand_over(self, listener: Listener) -> DirectSocket:
        if not self.handshake_complete or self._direct is not None:
            raise RuntimeError("expected an accepted WebSocket that nobody has taken over")
        direct = self._direct = SansIOSocket(cast(Any, self), listener)
        self.queue = cast(Any, direct)
        if not self.writable.is_set():
            listener.pause_writing()
        self.resume_transport()
        return direct

    def _protocol_error_message(self, code: int, reason: str) -> bytes:
        # Between the pieces of a message there is no room for another one.
        if self._direct is None or self._direct.in_pieces:
            return b""
        text = self._direct.receiver.protocol_error_message(code, reason)
        return Frame(Opcode.TEXT, text).serialize(mask=False) if text is not None else b""

    def _take_early(self) -> None:
        early, self._early = bytes(self._early or b""), None
        if len(early) > EARLY_BYTES and not self.read_paused:
            self.transport.resume_reading()
        if early and not self.transport.is_closing():
            self.data_received(early)

    def _end_unreadable(self) -> None:
        """End a handshake that the parser has refused by itself: lines too long or too many."""
        self.handshake_complete = self.close_sent = True
        self.flush()
        self.transport.close()
