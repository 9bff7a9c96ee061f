"""One client: takes its frames, writes what is for it, closes it once. No task of its own.

A message for the client goes to its socket within the same turn of the loop, together with
whatever else comes for it then; what the client does not take waits in its outbox.
"""

from __future__ import annotations

import asyncio
import time

from maim_edge.bridge import Receipt
from maim_edge.connection_context import ConnectionContext
from maim_edge.delivery import DeliveryWindow, Outbox, OutFrame
from maim_edge.dialects import BARE, ENVELOPE, Dialect, Pieces
from maim_edge.handshake import Format
from maim_edge.read_pause import PauseReason, ReadPause
from maim_edge.websocket import (
    INVALID_DATA,
    MEMORY_IS_TAKEN,
    PIECE_BYTES,
    UNCHECKED_BYTES,
    UNCOUNTED_BYTES,
    DirectSocket,
    is_utf8,
)
from maim_protocol.bridge import BridgeOutcome
from maim_protocol.close_codes import CloseCode, fit_reason
from maim_protocol.envelope import SYS_ACK, ClientFrame
from maim_protocol.errors import ErrorCode, FrameError

# How long a client that does not read may delay its own end.
FLUSH_SECONDS = 2.0


class Connection:
    """An admitted client; the `Listener` of its socket once that was handed over."""

    __slots__ = (
        "_checking",
        "_context",
        "_fixed",
        "_fresh",
        "_limits",
        "_outbox",
        "_read_pause",
        "_socket",
        "_window",
        "_writable",
        "closing",
        "dialect",
        "handle",
        "uuid",
    )

    def __init__(self, handle: int, context: ConnectionContext, format: Format) -> None:
        self.handle = handle
        self.uuid = ""
        self.dialect: Dialect = BARE if format == "bare" else ENVELOPE
        self.closing: tuple[int, str] | None = None
        self._fixed = bool(format)
        self._context = context
        self._limits = context.new_limits()
        self._socket: DirectSocket | None = None
        self._writable = True
        self._read_pause = ReadPause()
        # Written at the end of this turn; what has to wait is in the outbox.
        self._fresh: list[bytes] | None = None
        self._outbox: Outbox | None = None
        self._window: DeliveryWindow | None = None
        # Bytes of a large frame that is being looked at.
        self._checking = 0

    @property
    def pending_bytes(self) -> int:
        """How much memory is held for what the client has yet to take."""
        waiting = self._outbox.bytes if self._outbox is not None else 0
        return waiting + (self._socket.pending_bytes if self._socket is not None else 0)

    @property
    def window(self) -> DeliveryWindow:
        """What the client was delivered; made when there is something, idle ones need none."""
        if self._window is None:
            self._window = self._context.new_delivery_window()
        return self._window

    @property
    def pending_messages(self) -> int:
        """How many messages wait for their turn to be written."""
        return len(self._outbox) if self._outbox is not None else 0

    def attach(self, socket: DirectSocket) -> None:
        """Speak through this socket, which was handed over to this connection."""
        self._socket = socket
        self._read_pause.attach(socket)
        if self.closing is not None:
            self._context.close(socket, *self.closing)
        else:
            self._write_outbox()

    def on_message(self, data: bytes) -> None:
        """Take a frame of the client."""
        if len(data) <= UNCHECKED_BYTES:
            self._take(data, known_utf8=False)
        elif self.closing is None:
            self._read_pause.pause(PauseReason.VALIDATING)
            self._checking = len(data)
            self._weigh()
            self._context.check(self._take_unchecked(data))

    def pause_writing(self) -> None:
        """Let everything wait: the client does not take it."""
        self._writable = False
        self._context.slow(self)

    def resume_writing(self) -> None:
        """Write what waits."""
        self._writable = True
        self._write_outbox()

    def on_ping(self) -> None:
        """Note that a ping was written."""
        if self._window is not None:
            self._window.pinged()

    def on_pong(self) -> None:
        """Note that the client has read what was written before the ping."""
        if self._window is not None:
            self._window.ponged()
            self._context.on_confirmed()

    def on_protocol_error(self, code: int, reason: str) -> bytes | None:
        """Tell a client that broke the protocol why it is closed."""
        if code != CloseCode.TOO_LARGE:
            return None
        limit = self._context.settings.max_message_size
        text = f"larger than MAIM_EDGE_MAX_MESSAGE_SIZE={limit} of this server: {reason}"
        return self.dialect.error(ErrorCode.TOO_LARGE, text, None, time.time())

    def on_closed(self, code: int, reason: str) -> None:
        """Hear the end."""
        self._socket = None
        self._read_pause.attach(None)
        self._writable = False
        self._fresh = None
        self._fail(BridgeOutcome.GONE)
        self.closing = code, reason = self.closing or (code, reason)
        self._context.left(self.handle, code, reason)

    def write(self, data: bytes) -> bool:
        """Write a message in this turn; False when it has to wait, or will never be written."""
        ready = self._writable and self._socket is not None and self._outbox is None
        if not ready or self.closing is not None:
            return False
        if self._fresh is None:
            self._fresh = [data]
            self._context.flush_soon(self)
        else:
            self._fresh.append(data)
        return True

    def deliver(self, pieces: Pieces, receipt: Receipt) -> None:
        """Let a message wait for its turn; its policy says what a full outbox means."""
        if self.closing is not None:
            receipt.failed(BridgeOutcome.GONE)
        elif not self._put(OutFrame(pieces, receipt, self._context.overflow.of(receipt.delivery))):
            receipt.failed(BridgeOutcome.SLOW)

    def probe(self) -> None:
        """Ask the client by a ping what it has read; one that left too much open is slow."""
        if self.window.overflows:
            text = f"slow consumer: {self.window.unconfirmed} messages are not acknowledged"
            self.close(CloseCode.SLOW_CONSUMER, text)
        elif self._writable and self._socket is not None:
            self.flush()
            self._socket.ping()

    def flush(self) -> None:
        """Write what this turn of the loop brought."""
        fresh, self._fresh = self._fresh, None
        if fresh is None or self._socket is None:
            return
        if len(fresh) == 1:
            self._socket.send(fresh[0])
        else:
            self._socket.send_all(fresh)

    def tell(self, data: bytes | None) -> None:
        """Write an ack, an error or a notice; None is what the dialect has no word for."""
        if data is not None and not self.write(data) and self.closing is None:
            self._put(OutFrame((data,), handling=self._context.overflow.system))

    def settled(self, msg_id: str) -> None:
        """Tell the client that its message is settled."""
        self.tell(self.dialect.ack(self.uuid, msg_id, time.time()))

    def error(self, code: ErrorCode, text: str, msg_id: str | None) -> None:
        """Tell the client why its frame was not taken."""
        self.tell(self.dialect.error(code, text, msg_id, time.time()))

    def on_capacity(self) -> None:
        """Read again: the bridge takes messages of this client."""
        self._read_pause.resume(PauseReason.BACKPRESSURE)

    def close(self, code: int, reason: str) -> None:
        """End the connection with this code; the first call counts."""
        if self.closing is not None:
            return
        self.flush()
        self.closing = (code, fit_reason(reason))
        slow = code == CloseCode.SLOW_CONSUMER
        self._fail(BridgeOutcome.SLOW if slow else BridgeOutcome.GONE)
        self._read_pause.pause(PauseReason.CLOSING)
        # Now, and not when the client has answered: nothing more is for this connection.
        self._context.bridge.closed(self.handle, *self.closing)
        if self._socket is not None:
            self._context.close(self._socket, *self.closing)

    def close_after_flush(self, code: int, reason: str) -> None:
        """End the connection when what waits for it has been written, or soon after."""
        if self._writable and self._socket is not None and self._outbox is None:
            self.close(code, reason)
            return
        self._put(OutFrame((), close=(code, reason)))
        asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.close, code, reason)

    def _take(self, data: bytes, *, known_utf8: bool) -> None:
        if self.closing is not None:
            return
        try:
            frame = self.dialect.decode(data, known_utf8=known_utf8)
        except FrameError as error:
            self._bad_frame(error)
            return
        limits = self._limits
        if limits.limited:
            now = time.monotonic()
            if not limits.allow(len(data), now, counts=frame.type != SYS_ACK):
                self._over_rate(frame, now)
                return
        if not self._fixed:
            self.dialect = BARE if frame.bare else ENVELOPE
        if frame.type == SYS_ACK:
            if self._window is not None and self._window.acked(frame.acked_msg_id or ""):
                self._context.on_confirmed()
        elif not self._context.bridge.send(self.handle, frame):
            self._read_pause.pause(PauseReason.BACKPRESSURE)

    async def _take_unchecked(self, data: bytes) -> None:
        if not await is_utf8(data):
            self.close(INVALID_DATA, "a frame is not UTF-8")
            return
        self._take(data, known_utf8=True)
        self._checking = 0
        self._weigh()
        self._read_pause.resume(PauseReason.VALIDATING)

    def _bad_frame(self, error: FrameError) -> None:
        self.error(error.code, error.text, error.msg_id)
        if self._limits.bad_frame(time.monotonic()):
            self._send_away(CloseCode.BAD_FRAMES, f"too many bad frames, the last: {error.code}")

    def _over_rate(self, frame: ClientFrame, now: float) -> None:
        text = "over the rate that this server allows a connection; wait and send again"
        self.error(ErrorCode.RATE_LIMITED, text, frame.msg_id)
        if self._limits.over_rate(now):
            self._send_away(CloseCode.LIMITED, text)

    def _send_away(self, code: CloseCode, reason: str) -> None:
        """Close when the errors have been written, and read nothing more."""
        self._read_pause.pause(PauseReason.CLOSING)
        self.close_after_flush(code, reason)

    def _put(self, frame: OutFrame) -> bool:
        if self._outbox is None:
            self.flush()  # this came before
            self._outbox = self._context.new_outbox()
        if not self._outbox.put(frame, time.monotonic()):
            self._close_slow()
            return False
        if self._outbox.dropped:
            self._context.dropped(self._outbox, self.window)
        self._context.watch(self._outbox, self._close_slow)
        self._write_outbox()
        return True

    def give_up(self) -> None:
        """End for the sake of others: all of them hold too much, and this one much of it."""
        slow = self._outbox is not None and self._outbox.bytes > self._checking
        self.close(CloseCode.SLOW_CONSUMER if slow else CloseCode.TRY_AGAIN, MEMORY_IS_TAKEN)

    def _weigh(self) -> None:
        """Tell what is held for this client, where it is much."""
        waiting = self._outbox.bytes if self._outbox is not None else 0
        shared = waiting if waiting > UNCOUNTED_BYTES else 0
        self._context.memory.hold(self, self._checking, shared)

    def _close_slow(self) -> None:
        waiting = f"{self.pending_messages} messages, {self.pending_bytes} bytes wait for it"
        self.close(CloseCode.SLOW_CONSUMER, f"slow consumer: {waiting}")

    def _write_outbox(self) -> None:
        """Write while the client takes it."""
        waited = self._outbox is not None
        while self._writable and self._socket is not None and self._outbox is not None:
            frame = self._outbox.first()
            if frame is None:
                self._outbox = None
            elif frame.close is not None:
                self.close(*frame.close)
            elif _write_first(self._outbox, frame, self._socket):
                self._context.bridge.report()
        if waited:
            self._weigh()
        # It was delivered earlier, when nothing could be written.
        if self._window is not None and self._window.needs_probe:
            self.probe()

    def _fail(self, outcome: BridgeOutcome) -> None:
        outbox, self._outbox = self._outbox, None
        self._checking = 0
        if self._window is not None:
            self._window.fail(outcome)
        if outbox is not None:
            outbox.fail(outcome)
        self._weigh()
        self._context.bridge.report()


def _write_first(outbox: Outbox, frame: OutFrame, socket: DirectSocket) -> bool:
    """Write the oldest frame or its next piece; returns whether it is written, and gone."""
    piece = outbox.next_piece(PIECE_BYTES)
    if piece.first and piece.last:
        socket.send(piece.data)
    else:
        socket.send_piece(piece.data, piece.first, piece.last)
    if piece.last:
        outbox.pop()
        if frame.receipt is not None:
            frame.receipt.written()
    return piece.last
