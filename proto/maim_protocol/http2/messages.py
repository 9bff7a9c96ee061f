"""gRPC messages out of the bytes of DATA frames: a flag, a length, the message; pure."""

from __future__ import annotations

from typing import Any

from maim_protocol.http2.codes import CallFailed, Status

PREFIX_BYTES = 5
# Smaller pieces are put together at once: a peer that sends byte by byte costs no memory.
PIECE_BYTES = 4096


class MessageReader:
    """Cuts one direction of a call into messages, however its bytes are split."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._prefix = b""
        self._pieces: list[bytes] = []
        self._missing = 0

    @property
    def inside(self) -> bool:
        """Whether a message has begun that is not whole."""
        return bool(self._prefix or self._pieces)

    def feed(self, data: bytes, at: int, end: int, found: list[Any]) -> None:
        """Take `data[at:end]` in and append the messages that are whole now.

        Raises `CallFailed` for a message that is compressed or too large.
        """
        if self._pieces:
            at = self._go_on(data, at, end, found)
        elif self._prefix:
            data = self._prefix + data[at:end]
            at, end = 0, len(data)
        while end - at >= PREFIX_BYTES:
            length = int.from_bytes(data[at + 1 : at + PREFIX_BYTES], "big")
            if data[at] or length > self._max_bytes:
                raise _refusal(data[at], length, self._max_bytes)
            at += PREFIX_BYTES
            if end - at < length:
                self._pieces = [data[at:end]]
                self._missing = length - (end - at)
                at = end
            else:
                found.append(data[at : at + length])
                at += length
        self._prefix = data[at:end]

    def _go_on(self, data: bytes, at: int, end: int, found: list[Any]) -> int:
        upto = min(end, at + self._missing)
        piece = data[at:upto]
        if len(self._pieces[-1]) < PIECE_BYTES:
            self._pieces[-1] += piece
        else:
            self._pieces.append(piece)
        self._missing -= upto - at
        if not self._missing:
            found.append(b"".join(self._pieces))
            self._pieces = []
        return upto


def _refusal(flag: int, length: int, max_bytes: int) -> CallFailed:
    if flag:
        # A call that announces a compression is refused before its first message.
        text = f"expected messages without compression, got one with the flag {flag}"
        return CallFailed(Status.INTERNAL, text)
    text = f"expected messages of at most {max_bytes} bytes, got one of {length}"
    return CallFailed(Status.RESOURCE_EXHAUSTED, text)
