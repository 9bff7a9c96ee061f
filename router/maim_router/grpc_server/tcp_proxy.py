"""Two connections joined byte for byte, so that they are one to the peers at their ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class ProxyEnd(asyncio.Protocol):
    """One of the two: what it reads the other writes, and the slower end sets the pace.

    A half-close is passed on where both can have one, which TLS cannot. `on_closed` is called
    at the end.
    """

    def __init__(self, on_closed: Callable[[ProxyEnd], None]) -> None:
        self._on_closed = on_closed
        self._ended = False
        self.transport: asyncio.Transport
        self.other: ProxyEnd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if not self.other.transport.is_closing():
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        """Let the other wait."""
        if not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the other go on."""
        if not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """Pass a half-close on; the second one closes both."""
        self._ended = True
        other = self.other.transport
        if self.other._ended or not (self.transport.can_write_eof() and other.can_write_eof()):
            return False
        if not other.is_closing():
            other.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the other, after what is still to be written there."""
        self.other.transport.close()
        self._on_closed(self)


async def proxy(
    front: asyncio.Transport, path: str, head: bytes, on_closed: Callable[[ProxyEnd], None]
) -> tuple[ProxyEnd, ProxyEnd]:
    """Join a connection, of which `head` was read, with the unix socket at `path`.

    `front` must not read meanwhile. Raises `OSError` when nobody serves the socket.
    """
    near, far = ProxyEnd(on_closed), ProxyEnd(on_closed)
    near.other, far.other = far, near
    near.connection_made(front)
    await asyncio.get_running_loop().create_unix_connection(lambda: far, path)
    far.transport.write(head)
    front.set_protocol(near)
    if front.is_closing():
        far.transport.close()
    else:
        front.resume_reading()
    return near, far
