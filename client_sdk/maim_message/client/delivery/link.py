"""One open WebSocket: reads frames until it closes, writes messages in order.

Rule of the file: nothing here outlives the socket; what must is in the session.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Optional

import msgspec
from websockets.exceptions import ConnectionClosed

from maim_message.client.callbacks import Inbox
from maim_message.client.delivery.session import Kept, Session
from maim_message.client.log import ClientLog
from maim_message.client.stats import Stats
from maim_message.client.transport import EdgeSocket, LinkEnd, after_close
from maim_protocol.envelope import (
    CUSTOM_PREFIX,
    SYS_ACK,
    SYS_ERROR,
    SYS_NOTICE,
    SYS_STD,
    Envelope,
    decode_envelope,
    encode_client_ack,
)
from maim_protocol.errors import FrameError

Settled = Callable[[str, Optional[str]], None]
# Acknowledgements that may wait for a network that takes no data.
MOST_OWED = 1000


class _Refusal(msgspec.Struct):
    code: str
    message: str = ""
    msg_id: Optional[str] = None


class _Notice(msgspec.Struct):
    event: str = ""
    retry_after_ms: Optional[float] = None


class Link:
    """Reads and writes one WebSocket; `settled(msg_id, error)` hears what the edge answered.

    `writing` keeps messages in order; `end_known` is set when it is known what follows the link.
    """

    def __init__(
        self,
        socket: EdgeSocket,
        label: str,
        session: Session,
        inbox: Inbox,
        settled: Settled,
        log: ClientLog,
        stats: Stats,
    ) -> None:
        self.label = label
        self.writing = asyncio.Lock()
        self.end_known = asyncio.Event()
        self._socket = socket
        self._session = session
        self._inbox = inbox
        self._settled = settled
        self._log = log
        self._stats = stats
        self._owed: list[str] = []
        # When the edge that drains wants this client back, monotonic seconds.
        self._back_at: float | None = None
        socket.on_writable = self._write_acks

    @property
    def window(self) -> Session:
        """What tells a message that comes again; it outlives the link."""
        return self._session

    @property
    def ready(self) -> bool:
        """Whether a message can be written without waiting."""
        return self._socket.ready and not self.writing.locked()

    async def writable(self) -> None:
        """Wait until the network takes data, or the link is closed."""
        await self._socket.writable.wait()

    async def resend(self, kept: list[Kept]) -> None:
        """Write what earlier links left behind, once; the caller holds `writing`."""
        for message in kept:
            await self.writable()
            resent = message.sent
            message.sent = True
            if not self.write(message.frame):
                return
            self._stats.messages_resent += resent
            self._stats.messages_sent += not resent

    def write(self, frame: bytes) -> bool:
        """Write one frame; False when the link is closing."""
        written = self._socket.write(frame)
        self._stats.bytes_sent += len(frame) if written else 0
        return written

    async def read(self) -> LinkEnd:
        """Read until the link closes and say how it ended. Cancelling it is safe."""
        try:
            await self._socket.deliver(self._take, self._room)
        except ConnectionClosed as closed:
            return self._ended(closed)

    async def close(self) -> None:
        """Close with the closing handshake, which writes out what is buffered."""
        await self._socket.close()

    def acknowledge(self, msg_id: str) -> None:
        """Acknowledge a message, together with the others of this turn."""
        if not self._owed:
            self._inbox.dispatcher.after_turn(self._write_acks)
        self._owed.append(msg_id)

    def _write_acks(self) -> None:
        if not self._socket.writable.is_set():
            return
        owed, self._owed = self._owed, []
        now = time.time()
        frames = [encode_client_ack(self.label, msg_id, now) for msg_id in owed]
        if self._socket.write(*frames):  # else the edge delivers the messages again
            self._socket.flush()  # the turn is over: nothing more comes to join them
            self._stats.bytes_sent += sum(map(len, frames))

    @property
    def _drain_seconds(self) -> float | None:
        return None if self._back_at is None else max(0.0, self._back_at - time.monotonic())

    def _ended(self, closed: ConnectionClosed) -> LinkEnd:
        if closed.rcvd is None:
            reason = f"sent {closed.sent.code} {closed.sent.reason}" if closed.sent else ""
            return after_close(None, reason, self._drain_seconds)
        code, reason = closed.rcvd.code, closed.rcvd.reason
        if closed.sent is not None and closed.rcvd_then_sent is False:
            # The peer only echoes a code that this side chose, e.g. 1009 for a frame too large.
            return after_close(None, f"closed by us: {code} {reason}", self._drain_seconds)
        return after_close(code, reason, self._drain_seconds)

    async def _room(self) -> None:
        await self._inbox.dispatcher.room()
        if len(self._owed) >= MOST_OWED:
            await self.writable()
            self._write_acks()

    def _take(self, data: bytes) -> bool:
        try:
            envelope = decode_envelope(data)
        except FrameError as error:
            self._log.warning(f"ignored a frame of {len(data)} bytes: {error.code}: {error}")
        else:
            if envelope.type != SYS_STD and not envelope.type.startswith(CUSTOM_PREFIX):
                self._take_system(envelope)
            elif self._inbox.dispatcher.full or len(self._owed) >= MOST_OWED:
                return False
            else:
                self._stats.messages_received += 1
                self._log.message("received", envelope.type, envelope.msg_id, len(data))
                self._inbox.deliver(self, envelope, len(data))
        self._stats.bytes_received += len(data)
        return True

    def _take_system(self, envelope: Envelope) -> None:
        try:
            if envelope.type == SYS_ACK:
                acked = envelope.meta.get("acked_msg_id")
                if isinstance(acked, str):
                    self._settled(acked, None)
            elif envelope.type == SYS_ERROR:
                self._take_refusal(msgspec.json.decode(envelope.payload, type=_Refusal))
            elif envelope.type == SYS_NOTICE:
                self._take_notice(msgspec.json.decode(envelope.payload, type=_Notice))
        except msgspec.DecodeError as error:
            self._log.warning(f"ignored a {envelope.type}: {error}")

    def _take_refusal(self, refusal: _Refusal) -> None:
        text = f"{refusal.code}: {refusal.message}"
        self._log.warning(f"the server did not take {refusal.msg_id or 'a frame'}: {text}")
        self._settled(refusal.msg_id or "", text)

    def _take_notice(self, notice: _Notice) -> None:
        if notice.event == "drain" and notice.retry_after_ms is not None:
            self._back_at = time.monotonic() + max(0.0, notice.retry_after_ms / 1000)
