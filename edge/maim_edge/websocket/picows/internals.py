"""A picows WebSocket on a connection that picows did not open: the one place that knows its inside.

picows makes its parser and its transport together and in the course of its own handshake. Ours
has been answered elsewhere, so this one is made up, and what picows says to it goes nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from picows import WSListener, WSUpgradeResponse, WSUpgradeResponseWithListener
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined]

# The least that picows takes: a connection keeps it for its life.
READ_BUFFER_BYTES = 2048

REQUEST = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
RESPONSE = WSUpgradeResponse.create_101_response()

OnFault = Callable[[int, str], None]


def open_protocol(
    transport: asyncio.Transport, listener: WSListener, max_size: int, on_fault: OnFault
) -> Any:
    """Make a `WSProtocol` that waits for the first frame; its `transport` writes frames.

    It is fed with `get_buffer` and `buffer_updated`. `on_fault(code, reason)` is called when the
    peer breaks the protocol, and the listener may yet hear of a frame that came before. What the
    listener raises comes out of `buffer_updated`.
    """
    wire = _Wire(transport, on_fault)
    # WSProtocol is not public, and its signature is that of picows 2.3: the version is pinned.
    protocol = WSProtocol(
        None,  # host and port: a client's
        None,  # path: a client's
        False,  # is_client_side
        lambda request: WSUpgradeResponseWithListener(RESPONSE, listener),
        wire,  # logger
        False,  # disconnect_on_exception
        None,  # handshake timeout
        False,  # automatic pings: a task each
        1.0,  # their interval
        1.0,  # their timeout
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,  # automatic pongs: they would fill memory for a peer that does not read
        max_size,
        None,  # extra headers
        READ_BUFFER_BYTES,
    )
    protocol.connection_made(wire)
    protocol.get_buffer(-1)[: len(REQUEST)] = REQUEST
    protocol.buffer_updated(len(REQUEST))
    # picows would keep the headers.
    protocol.transport.request.headers = None
    wire.open = True
    return protocol


def mute(protocol: Any) -> None:
    """Let a protocol write nothing any more, e.g. not the close frame behind a fault."""
    protocol.connection_lost(None)


class _Wire:
    """What picows takes for the transport, the socket and the logger of a connection."""

    __slots__ = ("_on_fault", "_transport", "get_write_buffer_size", "open")

    def __init__(self, transport: asyncio.Transport, on_fault: OnFault) -> None:
        self._transport = transport
        self._on_fault = on_fault
        # Asked before every write: without a detour.
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.open = False

    def write(self, data: bytes) -> None:
        if self.open:
            self._transport.write(data)

    def close(self) -> None:
        """Leave that to the owner: picows would close 10 ms after a fault."""

    abort = close

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else self._transport.get_extra_info(name)

    def fileno(self) -> int:
        fileno: int = self._transport.get_extra_info("socket").fileno()
        return fileno

    def setsockopt(self, *args: int) -> None:
        """Leave the socket alone: event loops set TCP_NODELAY."""

    def getsockopt(self, *args: int) -> int:
        return 0

    def isEnabledFor(self, level: int) -> bool:
        return False

    def debug(self, *args: object) -> None:
        """Log nothing."""

    info = warning = debug

    def error(self, text: str, fault: tuple[int, str]) -> None:
        self._on_fault(*fault)

    def exception(self, text: str) -> None:
        raise
