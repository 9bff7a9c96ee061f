"""One open WebSocket: reads frames until it closes, writes messages in order.

Rule of the file: nothing here outlives the socket; what must is in the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from maim_message.client.ended import Ended, after_close
from maim_message.client.inbox import Inbox
from maim_message.client.log import ClientLog
from maim_message.client.session import Kept, Session
from maim_message.client.stats import Stats
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

Settled = Callable[[str, str | None], None]


class _Refusal(msgspec.Struct):
    code: str
    message: str = ""
    msg_id: str | None = None


class _Notice(msgspec.Struct):
    event: str = ""
    retry_after_ms: float | None = None


class Link:
    """Reads and writes one WebSocket; `settled(msg_id, error)` hears what the edge answered.

    `writing` keeps messages in order; `judged` is set when it is known what follows the link.
    """

    def __init__(
        self,
        websocket: ClientConnection,
        label: str,
        session: Session,
        inbox: Inbox,
        settled: Settled,
        log: ClientLog,
        stats: Stats,
    ) -> None:
        self.writing = asyncio.Lock()
        self.judged = asyncio.Event()
        self._websocket = websocket
        self._label = label
        self._session = session
        self._inbox = inbox
        self._settled = settled
        self._log = log
        self._stats = stats
        self._drain_seconds: float | None = None

    async def resend(self, kept: list[Kept]) -> None:
        """Write what earlier links left behind, once; the caller holds `writing`."""
        with contextlib.suppress(ConnectionClosed):
            for message in kept:
                resent = message.sent
                message.sent = True
                await self.write(message.frame)
                self._stats.messages_resent += resent
                self._stats.messages_sent += not resent

    async def write(self, frame: bytes) -> None:
        """Write one frame; raises `ConnectionClosed`."""
        await self._websocket.send(frame, text=True)
        self._stats.bytes_sent += len(frame)

    async def read(self) -> Ended:
        """Read until the link closes and say how it ended. Cancelling it is safe."""
        try:
            while True:
                await self._take(await self._websocket.recv(decode=False))
        except ConnectionClosed as closed:
            return self._ended(closed)

    async def close(self) -> None:
        """Close with the closing handshake, which writes out what is buffered."""
        await self._websocket.close()

    def _ended(self, closed: ConnectionClosed) -> Ended:
        if closed.rcvd is None:
            reason = f"sent {closed.sent.code} {closed.sent.reason}" if closed.sent else ""
            return after_close(None, reason, self._drain_seconds)
        code, reason = closed.rcvd.code, closed.rcvd.reason
        if closed.sent is not None and closed.rcvd_then_sent is False:
            # The peer only echoes a code that this side chose, e.g. 1009 for a frame too large.
            return after_close(None, f"closed by us: {code} {reason}", self._drain_seconds)
        return after_close(code, reason, self._drain_seconds)

    async def _take(self, data: bytes) -> None:
        self._stats.bytes_received += len(data)
        try:
            envelope = decode_envelope(data)
        except FrameError as error:
            self._log.warning(f"ignored a frame of {len(data)} bytes: {error.code}: {error}")
            return
        if envelope.type == SYS_STD or envelope.type.startswith(CUSTOM_PREFIX):
            await self._take_message(envelope, len(data))
        else:
            self._take_system(envelope)

    async def _take_message(self, envelope: Envelope, size_bytes: int) -> None:
        msg_id = envelope.msg_id
        if msg_id and not self._session.is_new(envelope.meta.get("sender_user"), msg_id):
            await self._inbox.acknowledge(msg_id, lambda: self._acknowledge(msg_id))
            return
        self._stats.messages_received += 1
        self._log.message("received", envelope.type, msg_id, size_bytes)
        await self._inbox.deliver(self._label, envelope, lambda: self._acknowledge(msg_id))

    async def _acknowledge(self, msg_id: str | None) -> None:
        if msg_id:
            with contextlib.suppress(ConnectionClosed):  # the edge delivers it again
                await self.write(encode_client_ack(self._label, msg_id, time.time()))

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
            self._drain_seconds = max(0.0, notice.retry_after_ms / 1000)
