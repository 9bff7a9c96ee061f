"""Chunks put together again: pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from maim_protocol.bridge.frames import Chunk

# More than one frame has room to begin.
UNFINISHED = 8


class Transfers:
    """Payloads whose pieces are still coming.

    The lanes send one transfer after the other, so few payloads at a time are in pieces here and
    the other side's limit for a message bounds each.
    """

    def __init__(self) -> None:
        self._pieces: dict[int, list[bytes]] = {}

    def __len__(self) -> int:
        return len(self._pieces)

    def add(self, chunks: Iterable[Chunk]) -> None:
        """Keep pieces, in the order they came; raises `ValueError` for too many transfers."""
        for chunk in chunks:
            if not chunk.data:
                self._pieces.pop(chunk.transfer, None)
            elif chunk.transfer not in self._pieces and len(self._pieces) >= UNFINISHED:
                raise ValueError(f"expected at most {UNFINISHED} unfinished transfers")
            else:
                self._pieces.setdefault(chunk.transfer, []).append(chunk.data)

    def finish(self, transfer: int) -> bytes:
        """Join and forget a transfer; raises `KeyError` for one that never began."""
        return b"".join(self.pieces(transfer))

    def pieces(self, transfer: int) -> list[bytes]:
        """Forget a transfer and return its pieces as they are; raises `KeyError` as `finish`."""
        return self._pieces.pop(transfer)
