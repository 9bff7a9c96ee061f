"""Cuts what comes on a connection into frames (RFC 9113, section 4); pure.

DATA is passed on as it comes, in pieces, so that a large frame is neither waited for nor copied;
every other frame is small and passed on whole.
"""

from __future__ import annotations

from typing import Protocol

from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.frames import DATA, HEAD, HEAD_BYTES, PADDED, STREAM_MASK

# What else than DATA a peer may send in one frame; the least that RFC 9113 lets anybody announce.
CONTROL_BYTES = 16 * 1024
# How an alert and a handshake begin in every version of TLS (RFC 8446, section 5.1).
TLS_RECORDS = (b"\x15\x03", b"\x16\x03")


class Sink(Protocol):
    """Who hears of the frames; each method may raise `ConnectionFailed`."""

    def on_data_head(self, flags: int, stream: int, length: int) -> None:
        """A DATA frame begins; `length` counts its padding."""

    def on_data(self, data: bytes, at: int, end: int) -> None:
        """A piece of it came: `data[at:end]`."""

    def on_data_end(self) -> None:
        """It is whole."""

    def on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """Any other frame came."""


class FrameReader:
    """One direction of a connection; `preface`: the bytes that go before the first frame."""

    def __init__(self, sink: Sink, preface: bytes = b"") -> None:
        self._sink = sink
        self._preface = preface
        self._begun = False
        self._rest = b""
        self._in_data = False
        self._left = 0
        self._padding = 0

    def feed(self, data: bytes) -> None:
        """Take in what came; raises `ConnectionFailed`, and must not be called after that."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        if not self._begun:
            at = self._begin(data)
        while True:
            if self._in_data:
                at = self._pass_data_on(data, at, end)
            start = at + HEAD_BYTES
            if start > end:
                break
            word, flags, stream = HEAD.unpack_from(data, at)
            kind, length = word & 0xFF, word >> 8
            if kind == DATA:
                if flags & PADDED:
                    if start == end:
                        break
                    start += self._on_padding(length, data[start])
                else:
                    self._left = length
                self._in_data = True
                self._sink.on_data_head(flags, stream & STREAM_MASK, length)
                at = start
                continue
            if length > CONTROL_BYTES:
                text = f"a frame of type {kind}: expected at most {CONTROL_BYTES} bytes"
                raise ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, f"{text}, got {length}")
            if start + length > end:
                break
            at = start + length
            self._sink.on_frame(kind, flags, stream & STREAM_MASK, data[start:at])
        self._rest = data[at:]

    def _begin(self, data: bytes) -> int:
        """Skip the preface that is expected, or see that an answer is HTTP/2."""
        size = min(len(self._preface), len(data))
        if data[:size] != self._preface[:size] or (not size and _is_foreign(data)):
            text = f"expected HTTP/2, the peer speaks {_spoken(data)}"
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, text)
        self._preface = self._preface[size:]
        self._begun = not self._preface if size else len(data) >= HEAD_BYTES
        return size

    def _on_padding(self, length: int, padding: int) -> int:
        self._left, self._padding = length - 1 - padding, padding
        if self._left < 0:
            text = f"DATA: expected less padding than frame, got {padding} of {length} bytes"
            raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, text)
        return 1

    def _pass_data_on(self, data: bytes, at: int, end: int) -> int:
        upto = min(at + self._left, end)
        if upto > at:
            self._left -= upto - at
            self._sink.on_data(data, at, upto)
        if self._padding and not self._left:
            skipped = min(self._padding, end - upto)
            self._padding -= skipped
            upto += skipped
        if not (self._left or self._padding):
            self._in_data = False
            self._sink.on_data_end()
        return upto


def _is_foreign(data: bytes) -> bool:
    return data[:5] == b"HTTP/" or data[:2] in TLS_RECORDS


def _spoken(data: bytes) -> str:
    if data[:2] in TLS_RECORDS:
        return "TLS"
    return "HTTP/1" if b"HTTP/1." in data.split(b"\r\n", 1)[0] else "something else"
