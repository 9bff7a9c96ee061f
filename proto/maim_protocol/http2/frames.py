"""HTTP/2 frames as bytes (RFC 9113, sections 4 and 6), and the preface that goes before; pure."""

from __future__ import annotations

import struct

from maim_protocol.http2.codes import ConnectionFailed, ErrorCode, error_code

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Length (24 bits) and type (8) are read and written as one number.
HEAD = struct.Struct(">IBI")
HEAD_BYTES = 9

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE = range(9)
CONTINUATION = 9

ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITISED = 0x20

DEFAULT_WINDOW = 65_535
LARGEST_WINDOW = 2**31 - 1
SMALLEST_FRAME = 2**14
LARGEST_FRAME = 2**24 - 1
STREAM_MASK = 2**31 - 1
GOAWAY_TEXT_BYTES = 200
# Which frames belong to the connection, and which to one of its streams.
OF_CONNECTION = frozenset((SETTINGS, PING, GOAWAY))
OF_STREAM = frozenset((DATA, HEADERS, PRIORITY, RST_STREAM, PUSH_PROMISE, CONTINUATION))


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Write one frame."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def headers(stream: int, block: bytes, flags: int) -> bytes:
    """Write a header block: HEADERS, and CONTINUATION where one frame does not hold it."""
    whole = b""
    kind, size = HEADERS, SMALLEST_FRAME
    while len(block) > size:
        whole += frame(kind, flags, stream, block[:size])
        kind, flags, block = CONTINUATION, 0, block[size:]
    return whole + frame(kind, flags | END_HEADERS, stream, block)


def number(kind: int, stream: int, value: int) -> bytes:
    """Write WINDOW_UPDATE with an increment, or RST_STREAM with a code."""
    return frame(kind, 0, stream, struct.pack(">I", value))


def number_of(name: str, payload: bytes) -> int:
    """Read what `number` writes; raises `ConnectionFailed`."""
    if len(payload) != 4:
        raise wrong_size(name, "4", payload)
    return int.from_bytes(payload, "big")


def goaway(last_stream: int, code: ErrorCode, text: str) -> bytes:
    """Write GOAWAY; `text` tells an operator why."""
    why = text.encode()[:GOAWAY_TEXT_BYTES]
    return frame(GOAWAY, 0, 0, struct.pack(">II", last_stream, code) + why)


def goaway_of(payload: bytes) -> tuple[int, ErrorCode, str]:
    """Read what `goaway` writes; raises `ConnectionFailed`."""
    if len(payload) < 8:
        raise wrong_size("GOAWAY", "8 or more", payload)
    last_stream, code = struct.unpack_from(">II", payload)
    text = payload[8 : 8 + GOAWAY_TEXT_BYTES].decode(errors="replace")
    return last_stream & STREAM_MASK, error_code(code), text


def unwrapped(flags: int, payload: bytes) -> bytes:
    """Take padding and priority off what HEADERS holds; raises `ConnectionFailed`."""
    start, end = 0, len(payload)
    if flags & PADDED:
        start, end = 1, end - (payload[0] if payload else 1)
    if flags & PRIORITISED:
        start += 5
    if start > end:
        raise ConnectionFailed(ErrorCode.PROTOCOL_ERROR, "HEADERS: more padding than frame")
    return payload[start:end]


def wrong_size(name: str, expected: str, payload: bytes) -> ConnectionFailed:
    """Say that a frame has not the size of its kind."""
    text = f"{name}: expected {expected} bytes, got {len(payload)}"
    return ConnectionFailed(ErrorCode.FRAME_SIZE_ERROR, text)
