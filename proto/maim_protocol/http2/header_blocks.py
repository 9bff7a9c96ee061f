"""Header blocks: put together of frames, unpacked by HPACK (RFC 7541), checked; pure."""

from __future__ import annotations

import logging

from hpack import Decoder, HPACKError, OversizedHeaderListError

from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.events import Fields

# Its DEBUG lines hold whole headers, and with them tokens, whoever configured the log.
logging.getLogger("hpack").setLevel(logging.WARNING)


class HeaderBlocks:
    """The blocks of one direction of a connection, one at a time.

    `open` is the stream whose block has begun and not ended; 0: none.
    """

    def __init__(self, max_bytes: int, max_frames: int) -> None:
        self._max_bytes = max_bytes
        self._max_frames = max_frames
        self._decoder = Decoder(max_bytes)
        self._pieces: list[bytes] = []
        self.open = 0
        self.flags = 0

    def begin(self, stream: int, flags: int) -> None:
        """Note what the first frame says."""
        self.open, self.flags = stream, flags

    def add(self, piece: bytes) -> None:
        """Take in what a frame holds; raises `ConnectionFailed` when it is too much."""
        self._pieces.append(piece)
        size = sum(map(len, self._pieces))
        if size > self._max_bytes or len(self._pieces) > self._max_frames:
            text = f"expected headers of at most {self._max_bytes} bytes"
            text = f"{text} in {self._max_frames} frames, got {size} in {len(self._pieces)}"
            raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, text)

    def end(self) -> Fields:
        """Return the fields of the block; raises `ConnectionFailed`.

        Even the block of a stream that nobody wants is unpacked: later ones refer to it.
        """
        block, self._pieces, self.open = b"".join(self._pieces), [], 0
        try:
            return tuple((str(field[0]), str(field[1])) for field in self._decoder.decode(block))
        except OversizedHeaderListError:
            text = f"expected headers of at most {self._max_bytes} bytes, got more"
            raise ConnectionFailed(ErrorCode.ENHANCE_YOUR_CALM, text) from None
        except HPACKError as error:
            text = f"headers that cannot be unpacked: {type(error).__name__}"
            raise ConnectionFailed(ErrorCode.COMPRESSION_ERROR, text) from None
