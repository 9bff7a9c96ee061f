"""WebSocket frames of a client, masked beforehand: only a token is spliced in.

A mask of four equal bytes makes the masked form of a token a table look-up. The server unmasks
as it would any frame: the key is not zero.
"""

from __future__ import annotations

from typing import Protocol

_KEY = 0x5A
MASK = bytes([_KEY]) * 4
_MASKED = bytes(value ^ _KEY for value in range(256))
_FINAL_TEXT = 0x81
_MASKED_BIT = 0x80

TOKEN_MARK = b"@@"
TOKEN_DIGITS = 20
TOKEN_BYTES = len(TOKEN_MARK) + TOKEN_DIGITS
_HOLE = TOKEN_MARK + b"-" * TOKEN_DIGITS


def make_token(number: int) -> bytes:
    """Write the name of a message, of `TOKEN_BYTES` that are found anywhere in a frame."""
    return b"@@%020d" % number


class Fillable(Protocol):
    """A frame that lacks its token."""

    def fill(self, value: bytes) -> bytes:
        """Write the frame with this token."""


class Template:
    """A text frame in which a value of fixed length may stand in several places."""

    def __init__(self, text: bytes, hole: bytes = _HOLE) -> None:
        pieces = [piece.translate(_MASKED) for piece in text.split(hole)]
        pieces[0] = _header(len(text)) + pieces[0]
        self._pieces = pieces

    def fill(self, value: bytes) -> bytes:
        """Write the frame with this value, which must be as long as the hole."""
        return value.translate(_MASKED).join(self._pieces)


def message(key: str, platform: str, size: int) -> Template:
    """Make a standard message to a receiver; its envelope has `size` bytes, or its least."""
    head = (
        b'{"ver":1,"msg_id":"%b","type":"sys_std","meta":{},"payload":{"message_info":'
        b'{"platform":"%b","message_id":"%b","time":1.5},"message_segment":{"type":"text","data":"'
    ) % (_HOLE, platform.encode(), _HOLE)
    tail = b'"},"message_dim":{"api_key":"%b","platform":"%b"}}}' % (
        key.encode(),
        platform.encode(),
    )
    padding = b"x" * max(0, size - len(head) - len(tail))
    return Template(head + padding + tail)


def ack(own: bytes, length: int) -> Template:
    """Make a client's `sys_ack` for message ids of a length; `own` makes its own id unique."""
    hole = b"\0" * length
    text = (
        b'{"ver":1,"msg_id":"%b%b","type":"sys_ack","meta":{"uuid":"","acked_msg_id":"%b",'
        b'"timestamp":1.5},"payload":{"status":"received","client_timestamp":1.5}}'
    ) % (own, hole, hole)
    return Template(text, hole)


def _header(size: int) -> bytes:
    if size < 126:
        return bytes([_FINAL_TEXT, _MASKED_BIT | size]) + MASK
    if size < 1 << 16:
        return bytes([_FINAL_TEXT, _MASKED_BIT | 126]) + size.to_bytes(2, "big") + MASK
    return bytes([_FINAL_TEXT, _MASKED_BIT | 127]) + size.to_bytes(8, "big") + MASK
