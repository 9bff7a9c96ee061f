"""A message that comes in fragments: gathers them, judges size and encoding. No I/O."""

from __future__ import annotations

import codecs

from maim_edge.websocket.interface import INVALID_DATA, TOO_LARGE


class Violation(Exception):
    """The peer broke the protocol; `code` is the close code that says how."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class PartialMessage:
    """The fragments of one message so far: a byte takes a byte, however it was sent."""

    __slots__ = ("_decoder", "_max_size", "_unchecked_bytes", "data", "text")

    def __init__(self, text: bool, max_size: int, unchecked_bytes: float) -> None:
        self.text = text
        self.data = bytearray()
        self._max_size = max_size
        self._unchecked_bytes = unchecked_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8")() if text else None

    def add(self, fragment: memoryview | bytes, last: bool) -> None:
        """Take the next fragment; raises `Violation` as soon as the message cannot be right."""
        size = len(self.data) + len(fragment)
        if size > self._max_size:
            raise Violation(TOO_LARGE, f"over {self._max_size} bytes: fragments of {size} so far")
        self.data += fragment
        if self._decoder is None:
            return
        if size > self._unchecked_bytes:
            self._decoder = None
            return
        try:
            self._decoder.decode(fragment, last)
        except UnicodeDecodeError:
            raise Violation(INVALID_DATA, "a text frame is not UTF-8") from None
