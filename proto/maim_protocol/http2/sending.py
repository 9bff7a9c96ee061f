"""What goes out on a stream, cut into DATA frames as the peer's windows allow; pure.

RFC 9113, section 5.2: no byte is sent that the windows of stream and connection have no room
for; whoever writes on is told to wait.
"""

from __future__ import annotations

from collections import deque
from struct import Struct

from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.frames import (
    DATA,
    DEFAULT_WINDOW,
    HEAD,
    LARGEST_WINDOW,
    SMALLEST_FRAME,
)
from maim_protocol.http2.messages import PREFIX_BYTES

# The head of a frame and the prefix of the message that fills it.
_HEAD_AND_PREFIX = Struct(">IBIBI")
_PREFIX = Struct(">BI")
# Copying less than this costs less than a second buffer for the kernel.
JOIN_BYTES = 16 * 1024

Output = list[bytes | memoryview]


class Sending:
    """One stream's way out; frames are appended to `out`."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._waiting: deque[memoryview] = deque()
        self._last = b""
        self._initial = DEFAULT_WINDOW
        self._stream_room = DEFAULT_WINDOW
        self._connection_room = DEFAULT_WINDOW
        self.stream = 0
        self.frame_bytes = SMALLEST_FRAME

    @property
    def blocked(self) -> bool:
        """Whether something waits for the peer to make room."""
        return bool(self._waiting)

    def message(self, message: bytes) -> None:
        """Send a message, now or when there is room."""
        length = len(message)
        size = length + PREFIX_BYTES
        if (
            self._waiting
            or size > self._stream_room
            or size > self._connection_room
            or size > self.frame_bytes
        ):
            self._waiting.append(memoryview(_PREFIX.pack(0, length)))
            self._waiting.append(memoryview(message))
            self._send_what_fits()
            return
        self._stream_room -= size
        self._connection_room -= size
        head = _HEAD_AND_PREFIX.pack(size << 8 | DATA, 0, self.stream, 0, length)
        if size < JOIN_BYTES:
            self._out.append(head + message)
        else:
            self._out += (head, message)

    def make_room(self, stream: int, increment: int) -> None:
        """Take in WINDOW_UPDATE, of the stream or (0) of the connection."""
        if stream:
            self._stream_room = _widened(self._stream_room, increment)
        else:
            self._connection_room = _widened(self._connection_room, increment)
        self._send_what_fits()

    def start_from(self, initial: int) -> None:
        """Take in INITIAL_WINDOW_SIZE: it counts for what is open too (section 6.9.2)."""
        self._stream_room = _widened(self._stream_room, initial - self._initial)
        self._initial = initial
        self._send_what_fits()

    def end(self, frames: bytes) -> None:
        """Send frames that take no room, after what waits."""
        self._last = frames
        self._send_what_fits()

    def drop(self) -> None:
        """Forget what waits: nobody will read it."""
        self._waiting.clear()
        self._last = b""

    def _send_what_fits(self) -> None:
        waiting = self._waiting
        while waiting:
            room = min(self._stream_room, self._connection_room, self.frame_bytes)
            if room <= 0:
                return
            pieces, size = self._take(room)
            self._stream_room -= size
            self._connection_room -= size
            self._out.append(HEAD.pack(size << 8 | DATA, 0, self.stream))
            self._out += pieces
        if self._last:
            self._out.append(self._last)
            self._last = b""

    def _take(self, room: int) -> tuple[list[memoryview], int]:
        """Take pieces of `room` bytes at most off what waits."""
        pieces: list[memoryview] = []
        size = 0
        while self._waiting and size < room:
            piece = self._waiting.popleft()
            if len(piece) > room - size:
                self._waiting.appendleft(piece[room - size :])
                piece = piece[: room - size]
            pieces.append(piece)
            size += len(piece)
        return pieces, size


def _widened(room: int, increment: int) -> int:
    if room + increment > LARGEST_WINDOW:
        text = f"a window of {room} bytes cannot grow by {increment}"
        raise ConnectionFailed(ErrorCode.FLOW_CONTROL_ERROR, text)
    return room + increment
