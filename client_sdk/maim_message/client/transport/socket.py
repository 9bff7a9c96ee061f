"""The WebSocket of a link, with a short way in and few writes to the network.

Rule of the file: it only shortens ways that `websockets` has as well. A message that does not
come the short way comes the long one, in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

JOINED_BYTES = 64 * 1024
QUIET_SECONDS = 0.001
_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

Take = Callable[[bytes], bool]


class EdgeSocket(ClientConnection):
    """A connection that hands messages over as they come, without a queue or a task between.

    `on_writable` is called when the network takes data again after it did not.
    """

    on_writable: Callable[[], None] | None = None
    writable: asyncio.Event
    _take: Take | None = None
    _left_behind = 0
    _joining = False
    _joined_bytes = 0
    _flushed_at = 0.0

    async def deliver(self, take: Take, room: Callable[[], Awaitable[None]]) -> NoReturn:
        """Hand every message to `take` until the connection is closed: `ConnectionClosed`.

        What `take` refuses, and all that follows, waits until there is `room` and `take` takes
        it; `websockets` stops reading from the network meanwhile. Cancelling is safe.
        """
        self._take = take
        try:
            while True:
                message = await self.recv(decode=False)
                while not take(message):
                    await room()
                self._left_behind -= 1
        finally:
            # It is closing: what still comes must not keep the peer's close frame back.
            self._take, self._left_behind = _drop, 0

    @property
    def ready(self) -> bool:
        """Whether the connection is open and the network takes data."""
        return self.protocol.state is State.OPEN and self.writable.is_set()

    def write(self, *frames: bytes) -> bool:
        """Write text messages; False when the connection is closing and takes none.

        After a quiet time they leave at once. Those that come faster wait for the end of this
        turn of the loop, so that they leave together.
        """
        if self.protocol.state is not State.OPEN:
            return False
        for frame in frames:
            self.protocol.send_text(frame)
            self._joined_bytes += len(frame)
        if self._joined_bytes >= JOINED_BYTES or self._is_quiet():
            self.flush()
        elif not self._joining:
            self._joining = True
            self.loop.call_soon(self.flush)
        return True

    def flush(self) -> None:
        """Let everything that is written leave now."""
        self._joining = False
        self._joined_bytes = 0
        self._flushed_at = self.loop.time()
        if data := self.protocol.data_to_send():
            # Not `writelines`: in CPython 3.12.0 to 3.12.8 it never pauses who writes.
            self.transport.write(b"".join(data))

    def process_event(self, event: Event) -> None:
        """Hand a whole message over; fragments, and what comes too early, take the long way.

        After a close frame nobody waits for the network, as nothing can be written any more.
        """
        if isinstance(event, Frame) and event.fin and event.opcode in _DATA:
            if self._takes(event):
                return
            self._left_behind += 1
        super().process_event(event)
        if self.protocol.state is State.CLOSING:
            self.writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with a network that takes data."""
        super().connection_made(transport)
        self.writable = asyncio.Event()
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let nobody wait for the network any more."""
        super().connection_lost(exc)
        self.writable.set()

    def pause_writing(self) -> None:
        """Note that the network takes no more."""
        super().pause_writing()
        self.writable.clear()

    def resume_writing(self) -> None:
        """Note that the network takes data again."""
        super().resume_writing()
        self.writable.set()
        if self.on_writable is not None:
            self.on_writable()

    def _takes(self, frame: Frame) -> bool:
        if self._take is None or self._left_behind or frame.opcode is Opcode.CONT:
            return False
        return self._take(bytes(frame.data))

    def _is_quiet(self) -> bool:
        return not self._joining and self.loop.time() - self._flushed_at > QUIET_SECONDS


def _drop(message: bytes) -> bool:
    return True
