"""One client of the load generator: hands on what comes, writes frames that were made before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport
from picows.picows import WSCloseHandshake

from maim_bench.clients.frames import Fillable
from maim_bench.plan import Plan


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


class Wire(Protocol):
    """One for all clients of a worker process; nothing that comes is parsed."""

    def __init__(self, plan: Plan, load: Load) -> None: ...

    def url(self, number: int) -> str:
        """Tell where a client connects."""

    def greet(self, client: Client) -> None:
        """Say what is said after the handshake."""

    def message(self, receiver: int) -> Fillable:
        """Make the message to a receiver; its token is left open."""

    def received(self, client: Client, data: bytes) -> None:
        """Take a message of the server, and tell the load what it was."""


class Client(WSListener):
    """`partner` is who sends to it, `template` what it sends itself."""

    def __init__(self, number: int, load: Load, wire: Wire) -> None:
        self.number = number
        self.partner: Client = self
        self.template: Fillable | None = None
        self.write: Callable[[bytes], None] = _unconnected
        self._load = load
        self._received = wire.received
        self._greet = wire.greet
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Remember where to write."""
        self._transport = transport
        # The loop's transport: what a tick writes leaves together, as from one program.
        self.write = transport.underlying_transport.write
        self._greet(self)

    def send(self, token: bytes) -> None:
        """Send the message of this client's template."""
        if self.template is not None:
            self.write(self.template.fill(token))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand on a message; pings are answered by picows."""
        kind = frame.msg_type
        if kind is WSMsgType.TEXT or kind is WSMsgType.BINARY:
            self._received(self, frame.get_payload_as_bytes())
        elif kind is WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell that it is over."""
        self._transport = None
        # The type says that it is always there; it is None when the peer just vanished.
        shake: WSCloseHandshake | None = transport.close_handshake
        received = shake.recv if shake is not None else None
        self._load.on_closed(self, f"{int(received.code.value)}" if received else "lost")

    def pause_reading(self) -> None:
        """Read nothing more: a slow reader at its worst."""
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)


def _unconnected(data: bytes) -> None:
    raise ConnectionError("not connected")
