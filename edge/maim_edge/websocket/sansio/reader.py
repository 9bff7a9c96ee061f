"""How the sans-I/O parser reads large frames without copying them."""

from __future__ import annotations

from collections.abc import Generator

from websockets.streams import StreamReader

from maim_edge.websocket.interface import PIECE_BYTES


def read_exact(reader: StreamReader, n: int) -> Generator[None, None, bytearray]:
    """Read as `StreamReader.read_exact` does, but hand the buffer over when that is cheaper."""
    while len(reader.buffer) < n:
        if reader.eof:
            raise EOFError(f"stream ends after {len(reader.buffer)} bytes, expected {n} bytes")
        yield
    if n < PIECE_BYTES:
        data = reader.buffer[:n]
        del reader.buffer[:n]
        return data
    data, reader.buffer = reader.buffer, reader.buffer[n:]
    del data[n:]
    return data
