"""One client: reads its frames, writes what is for it, closes it once."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

from maim_edge.bridge.client import BridgeClient
from maim_edge.bridge.downlink import Receipt
from maim_edge.dialects import BARE, ENVELOPE, Dialect, Pieces
from maim_edge.handshake import Format
from maim_edge.limits import Limits
from maim_edge.outbox import Outbox, OutFrame
from maim_edge.utf8 import is_utf8
from maim_edge.websocket_protocol import INVALID_DATA, UNCHECKED_BYTES
from maim_protocol.close_codes import CloseCode, fit_reason
from maim_protocol.envelope import SYS_ACK, ClientFrame
from maim_protocol.errors import ErrorCode, FrameError
from maim_protocol.frames import Admission, BridgeOutcome

log = logging.getLogger(__name__)

# How long a client that does not read may delay its own end.
FLUSH_SECONDS = 2.0
CLOSE_SECONDS = 2.0


class Socket(Protocol):
    """The part of a WebSocket that a connection needs."""

    async def receive(self) -> bytes | None:
        """Wait for the next message; None when the client has closed or is gone."""

    async def send(self, pieces: Pieces) -> None:
        """Write a text message of UTF-8 bytes, waiting while the client does not read."""

    async def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""

    def abort(self) -> None:
        """Drop the connection at once."""

    @property
    def close_code(self) -> int:
        """The code that the client closed with; 1006 when it did not say."""


class Connection:
    """An admitted client. `run` ends when the client is gone; whoever calls it cleans up."""

    def __init__(
        self,
        handle: int,
        socket: Socket,
        bridge: BridgeClient,
        outbox: Outbox,
        limits: Limits,
        format: Format,
    ) -> None:
        self.handle = handle
        self.admission: Admission | None = None
        self.dialect: Dialect = BARE if format == "bare" else ENVELOPE
        self.outbox = outbox
        self.closing: tuple[int, str] | None = None
        self._socket = socket
        self._bridge = bridge
        self._limits = limits
        self._fixed = bool(format)
        self._work = asyncio.Event()
        self._close = asyncio.Event()

    async def run(self) -> tuple[int, str]:
        """Serve the client; returns how it ended."""
        writer = asyncio.ensure_future(self._write())
        reader = asyncio.ensure_future(self._read())
        closer = asyncio.ensure_future(self._close.wait())
        tasks: list[asyncio.Future[Any]] = [writer, reader, closer]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            self._note_bug(reader, writer)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return await self._end()

    def deliver(self, pieces: Pieces, receipt: Receipt) -> None:
        """Queue a message for the client; a full outbox is the end of the connection."""
        if self.closing is not None:
            receipt.failed(BridgeOutcome.GONE)
        elif not self._put(OutFrame(pieces, receipt)):
            receipt.failed(BridgeOutcome.SLOW)

    def tell(self, data: bytes | None) -> None:
        """Queue an ack, an error or a notice; None is what the dialect has no word for."""
        if data is not None and self.closing is None:
            self._put(OutFrame((data,)))

    def settled(self, msg_id: str) -> None:
        """Tell the client that its message is settled."""
        uuid = self.admission.connection_uuid if self.admission else ""
        self.tell(self.dialect.ack(uuid, msg_id, time.time()))

    def error(self, code: ErrorCode, text: str, msg_id: str | None) -> None:
        """Tell the client why its frame was not taken."""
        self.tell(self.dialect.error(code, text, msg_id, time.time()))

    def farewell(self, code: int, reason: str) -> bytes | None:
        """Write why a client that broke the protocol is closed; `code` is the close code."""
        if code != CloseCode.TOO_LARGE:
            return None
        text = f"the frame is larger than this server takes: {reason}"
        return self.dialect.error(ErrorCode.TOO_LARGE, text, None, time.time())

    def close(self, code: int, reason: str) -> None:
        """End the connection with this code; the first call counts."""
        if self.closing is None:
            self.closing = (code, fit_reason(reason))
            self._close.set()

    def close_after_flush(self, code: int, reason: str) -> None:
        """End the connection when what waits for it has been written, or soon after."""
        self._put(OutFrame((), close=(code, reason)))
        asyncio.get_running_loop().call_later(FLUSH_SECONDS, self.close, code, reason)

    @property
    def _name(self) -> str:
        return self.admission.connection_uuid if self.admission else str(self.handle)

    def _put(self, frame: OutFrame) -> bool:
        if self.outbox.put(frame, time.monotonic()):
            self._work.set()
            return True
        text = f"slow consumer: {len(self.outbox)} messages, {self.outbox.bytes} bytes wait for it"
        self.close(CloseCode.SLOW_CONSUMER, text)
        return False

    def _note_bug(self, *tasks: asyncio.Future[None]) -> None:
        for task in tasks:
            error = task.exception() if task.done() and not task.cancelled() else None
            if error is not None and not isinstance(error, ConnectionError):
                log.error("connection %s failed", self._name, exc_info=error)
                self.close(CloseCode.INTERNAL, "internal error")

    async def _read(self) -> None:
        while (received := await self._socket.receive()) is not None:
            await self._on_frame(received)

    async def _on_frame(self, data: bytes) -> None:
        large = len(data) > UNCHECKED_BYTES
        if large and not await is_utf8(data):
            self.close(INVALID_DATA, "a frame is not UTF-8")
            return
        now = time.monotonic()
        try:
            frame = self.dialect.decode(data, known_utf8=large)
        except FrameError as error:
            self.error(error.code, error.text, error.msg_id)
            if self._limits.bad_frames.add(now):
                text = f"too many bad frames, the last: {error.code}"
                await self._send_away(CloseCode.BAD_FRAMES, text)
            return
        if not self._limits.allow(len(data), now, counts=frame.type != SYS_ACK):
            await self._over_rate(frame, now)
            return
        if not self._fixed:
            self.dialect = BARE if frame.bare else ENVELOPE
        if frame.type == SYS_ACK:
            self._bridge.acked(self.handle, frame.acked_msg_id or "")
        else:
            await self._bridge.send(self.handle, frame)

    async def _over_rate(self, frame: ClientFrame, now: float) -> None:
        text = "over the rate that this server allows a connection; wait and send again"
        self.error(ErrorCode.RATE_LIMITED, text, frame.msg_id)
        if self._limits.over_rate.add(now):
            await self._send_away(CloseCode.LIMITED, text)

    async def _send_away(self, code: CloseCode, reason: str) -> None:
        """Close when the errors have been written, and read nothing more: `run` cancels it."""
        self.close_after_flush(code, reason)
        await asyncio.get_running_loop().create_future()

    async def _write(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while (frame := self.outbox.first()) is not None:
                if frame.close is not None:
                    self.close(*frame.close)
                    return
                await self._socket.send(frame.pieces)
                self.outbox.pop()
                if frame.receipt is not None:
                    frame.receipt.written()
                    self._bridge.report()

    async def _end(self) -> tuple[int, str]:
        slow = self.closing is not None and self.closing[0] == CloseCode.SLOW_CONSUMER
        self.outbox.fail(BridgeOutcome.SLOW if slow else BridgeOutcome.GONE)
        self._bridge.report()
        if self.closing is None:
            return self._socket.close_code, ""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(*self.closing)
        except (TimeoutError, ConnectionError):
            self._socket.abort()
        return self.closing
