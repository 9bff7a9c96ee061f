"""Whether a large frame is UTF-8, found out without holding up the event loop."""

from __future__ import annotations

import asyncio
import codecs

PIECE_BYTES = 512 * 1024


async def is_utf8(data: bytes) -> bool:
    """Check in pieces of a few milliseconds, letting others have their turn between them."""
    if data.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data), PIECE_BYTES):
            decoder.decode(view[start : start + PIECE_BYTES])
            await asyncio.sleep(0)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
