"""One client of the load generator: finds the few bytes it needs in what comes, parses nothing."""

from __future__ import annotations

import time
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSCloseHandshake

from maim_message.bench import frames
from maim_message.bench.frames import TOKEN_BYTES, TOKEN_MARK, Template

_TYPE = b"sys_"
_ID = b'"msg_id"'


class Load(Protocol):
    """Who is told what a client received; `now` as `time.monotonic`."""

    def on_delivery(self, client: Client, token: bytes, now: float) -> None:
        """Take a message."""

    def on_ack(self, client: Client, token: bytes, now: float) -> None:
        """Take the server's ack of a message that this client sent."""

    def on_error(self, client: Client, token: bytes, code: str) -> None:
        """Take a refusal of a message that this client sent."""

    def on_closed(self, client: Client, reason: str) -> None:
        """Learn that a connection has ended."""


class Client(WSListener):
    """Acknowledges what it receives, unless told not to, and tells the load of it.

    `partner` is who sends to it, `template` what it sends itself.
    """

    def __init__(self, number: int, load: Load, *, acks: bool) -> None:
        self.number = number
        self.partner: Client = self
        self.template: Template | None = None
        self._load = load
        self._acks = acks
        self._own = b"ack-%d-" % number
        self._ack_templates: dict[int, Template] = {}
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Remember where to write."""
        self._transport = transport
        # Of the loop's transport: what a tick writes leaves together, as from one program.
        self.write = transport.underlying_transport.write

    def send(self, token: bytes) -> None:
        """Send the message of this client's template."""
        if self.template is not None:
            self.write(self.template.fill(token))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Tell apart by its first type what came."""
        data = frame.get_payload_as_bytes()
        if data[:1] != b"{":
            self._on_other(transport, frame)
            return
        kind = data[(at := data.find(_TYPE) + 4) : at + 3]
        token = data[(at := data.find(TOKEN_MARK)) : at + TOKEN_BYTES]
        if kind == b"ack":
            self._load.on_ack(self, token, time.monotonic())
        elif kind == b"std":
            self._load.on_delivery(self, token, time.monotonic())
            if self._acks:
                self._acknowledge(data)
        elif kind == b"err":
            self._load.on_error(self, token, _code(data))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell that it is over."""
        self._transport = None
        # The type says that it is always there; it is None when the peer just vanished.
        shake: WSCloseHandshake | None = transport.close_handshake
        received = shake.recv if shake is not None else None
        self._load.on_closed(self, f"{received.code}" if received else "lost")

    def pause_reading(self) -> None:
        """Read nothing more: a slow reader at its worst."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def _acknowledge(self, data: bytes) -> None:
        begin = data.find(b'"', data.find(_ID) + len(_ID)) + 1
        msg_id = data[begin : data.find(b'"', begin)]
        template = self._ack_templates.get(len(msg_id))
        if template is None:
            template = self._ack_templates[len(msg_id)] = frames.ack(self._own, len(msg_id))
        self.write(template.fill(msg_id))

    def _on_other(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


def _code(data: bytes) -> str:
    begin = data.find(b'"', data.find(b'"code"') + 6) + 1
    return data[begin : data.find(b'"', begin)].decode(errors="replace")
