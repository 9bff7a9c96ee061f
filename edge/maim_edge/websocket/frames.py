"""Frames of a WebSocket server as bytes, and what RFC 6455 says about their contents: no I/O."""

from __future__ import annotations

from maim_edge.websocket.interface import NO_STATUS, NORMAL

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

FINAL = 0x80
EMPTY_PING = b"\x89\x00"
REASON_BYTES = 123


def head(opcode: int, size: int, final: bool = True) -> bytes:
    """Write the head of an unmasked frame (section 5.2)."""
    first = opcode | FINAL if final else opcode
    if size < 126:
        return bytes((first, size))
    if size < 1 << 16:
        return bytes((first, 126, size >> 8, size & 0xFF))
    return bytes((first, 127)) + size.to_bytes(8)


def frame(opcode: int, data: bytes) -> bytes:
    """Write a whole unmasked frame."""
    return head(opcode, len(data)) + data


def close_frame(code: int, reason: str) -> bytes:
    """Write a close frame; 1005 stands for one without a code."""
    if code == NO_STATUS:
        return frame(CLOSE, b"")
    fitting = reason.encode()[:REASON_BYTES].decode(errors="ignore").encode()
    return frame(CLOSE, code.to_bytes(2) + fitting)


def close_payload(data: bytes) -> tuple[int, str] | None:
    """Read what a close frame holds; None for what section 5.5.1 or 7.4 forbids."""
    if not data:
        return NO_STATUS, ""
    code = int.from_bytes(data[:2])
    if len(data) == 1 or not may_be_sent(code):
        return None
    return code, data[2:].decode()


def may_be_sent(code: int) -> bool:
    """Whether a close frame may hold this code (section 7.4, and the registry of IANA)."""
    return NORMAL <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8; quick for ASCII."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
