"""Messages out of bytes, parsed by picows: judges what picows does not, and answers nothing."""

from __future__ import annotations

import asyncio
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from maim_edge.websocket.fragments import PartialMessage, Violation
from maim_edge.websocket.frames import close_payload, is_utf8
from maim_edge.websocket.interface import INVALID_DATA, PROTOCOL_ERROR
from maim_edge.websocket.memory_budget import UNCOUNTED_BYTES
from maim_edge.websocket.picows.internals import mute, open_protocol
from maim_edge.websocket.receiver import Receiver

TEXT = WSMsgType.TEXT
# picows doubles its read buffer when not more than this or a tenth of it is left.
SCARCE_BYTES = 256
# A buffer of this size is given back when a pong shows that nothing waits in it ...
LARGE_BUFFER_BYTES = 8 * 1024
# ... and at once behind a message of this size.
LARGE_MESSAGE_BYTES = 1024 * 1024


class Control(Protocol):
    """Who takes control frames."""

    def on_ping(self, data: bytes) -> None:
        """Answer a ping."""

    def on_pong(self) -> None:
        """Note that the peer is alive."""

    def on_close(self, code: int, reason: str) -> None:
        """Answer a close frame."""

    def on_held(self, size: int) -> None:
        """Hear how many bytes of an unfinished message are held; 0: hardly any."""


class PicowsReader(WSListener):
    """Feeds picows and passes messages on to `receiver`, or control frames alone (`control_only`).

    `writer` is picows' way to write. It changes: ask for it each time.
    """

    __slots__ = (
        "_control",
        "_counted",
        "_fault",
        "_max_size",
        "_partial",
        "_protocol",
        "_transport",
        "_unread",
        "control_only",
        "receiver",
        "writer",
    )

    def __init__(
        self, transport: asyncio.Transport, receiver: Receiver, control: Control, max_size: int
    ) -> None:
        self.receiver = receiver
        self.control_only = False
        self._transport = transport
        self._control = control
        self._max_size = max_size
        self._fault: Violation | None = None
        self._partial: PartialMessage | None = None
        # Bytes behind the last whole frame, and what of them the owner was told.
        self._unread = 0
        self._counted = 0
        self._renew()

    def feed(self, data: bytes) -> None:
        """Parse what the peer sends; raises `Violation` when it may not.

        Much is fed in parts that leave some of the buffer free: it would grow for nothing.
        """
        rest: bytes | memoryview = data
        self._unread += len(data)
        while self._fault is None:
            protocol = self._protocol
            buffer = protocol.get_buffer(-1)
            size, room = len(rest), len(buffer)
            most = room - max(room // 5, SCARCE_BYTES + 1) or 1
            if size <= most:
                buffer[:size] = rest
                protocol.buffer_updated(size)
                break
            rest = memoryview(rest)
            buffer[:most] = rest[:most]
            protocol.buffer_updated(most)
            rest = rest[most:]
        if self._fault is not None:
            raise self._fault
        if self._unread > UNCOUNTED_BYTES or self._partial is not None or self._counted:
            self._count()

    def give_up(self) -> None:
        """Forget an unfinished message; nothing may be fed then."""
        self._partial = None
        mute(self._protocol)
        self._renew()

    def release(self) -> None:
        """Break the circle of references; nothing may be fed or written then."""
        del self._protocol, self.writer, self._control
        self._fault = None  # its traceback leads here

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame of picows; the common one takes the short way."""
        if (
            frame.msg_type is not TEXT
            or not frame.fin
            or self._partial is not None
            or self.control_only
            or frame.rsv1
            or frame.rsv2
            or frame.rsv3
        ):
            self._on_other(frame)
            return
        if frame.last_in_buffer:
            self._unread = frame.tail_size
        data = frame.get_payload_as_bytes()
        if len(data) <= self.receiver.unchecked_bytes and not is_utf8(data):
            raise Violation(INVALID_DATA, "a text frame is not UTF-8")
        self.receiver.take_text(data)
        if len(data) >= LARGE_MESSAGE_BYTES:
            self._give_buffer_back(frame)

    def _on_other(self, frame: WSFrame) -> None:
        if frame.last_in_buffer:
            self._unread = frame.tail_size
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            raise Violation(PROTOCOL_ERROR, "expected reserved bits of 0")
        match frame.msg_type:
            case WSMsgType.PING:
                self._control.on_ping(frame.get_payload_as_bytes())
            case WSMsgType.PONG:
                self._control.on_pong()
                if len(self._protocol.get_buffer(-1)) > LARGE_BUFFER_BYTES:
                    self._give_buffer_back(frame)
            case WSMsgType.CLOSE:
                end = close_payload(frame.get_payload_as_bytes())
                if end is None:
                    raise Violation(PROTOCOL_ERROR, "the close frame holds no code for the wire")
                self._control.on_close(*end)
            case _ if not self.control_only:
                self._on_data(frame)

    def _on_data(self, frame: WSFrame) -> None:
        """Take a binary message, or a fragment."""
        if (frame.msg_type is WSMsgType.CONTINUATION) != (self._partial is not None):
            raise Violation(PROTOCOL_ERROR, "a fragment is not where one may be")
        if self._partial is None:
            if frame.fin:
                self.receiver.take_binary(frame.get_payload_as_bytes())
                if frame.payload_size >= LARGE_MESSAGE_BYTES:
                    self._give_buffer_back(frame)
                return
            text, limit = frame.msg_type is TEXT, self.receiver.unchecked_bytes
            self._partial = PartialMessage(text, self._max_size, limit)
        self._partial.add(frame.get_payload_as_memoryview(), bool(frame.fin))
        if frame.payload_size >= LARGE_MESSAGE_BYTES:
            self._give_buffer_back(frame)
        if frame.fin:
            self._end_partial(self._partial)

    def _end_partial(self, partial: PartialMessage) -> None:
        self._partial = None
        data = bytes(partial.data)
        if partial.text:
            self.receiver.take_text(data)
        else:
            self.receiver.take_binary(data)

    def _count(self) -> None:
        """Tell the owner what is held: picows doubles its buffer when it grows."""
        partial = len(self._partial.data) if self._partial is not None else 0
        held = 2 * self._unread + partial
        if held <= UNCOUNTED_BYTES:
            held = 0
        if held != self._counted:
            self._counted = held
            self._control.on_held(held)

    def _give_buffer_back(self, frame: WSFrame) -> None:
        """Begin with a small buffer anew, unless something waits behind this frame."""
        if frame.last_in_buffer and not frame.tail_size:
            self._renew()

    def _renew(self) -> None:
        self._protocol = open_protocol(self._transport, self, self._max_size, self._on_fault)
        self.writer: WSTransport = self._protocol.transport

    def _on_fault(self, code: int, reason: str) -> None:
        """Note it for `feed`: a frame that came before may still be on its way, and be answered."""
        self._fault = Violation(code, reason)
        mute(self._protocol)
        self._renew()
