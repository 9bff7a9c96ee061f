"""Chunks put together again: pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from maim_protocol.frames import Chunk


class Transfers:
    """Payloads whose pieces are still coming.

    The lanes send one transfer after the other, so one payload at a time is in pieces here and
    the other side's limit for a message bounds it.
    """

    def __init__(self) -> None:
        self._pieces: dict[int, list[bytes]] = {}

    def add(self, chunks: Iterable[Chunk]) -> None:
        """Keep pieces, in the order they came."""
        for chunk in chunks:
            self._pieces.setdefault(chunk.transfer, []).append(chunk.data)

    def finish(self, transfer: int) -> bytes:
        """Join and forget a transfer; raises `KeyError` for one that never began."""
        return b"".join(self.pieces(transfer))

    def pieces(self, transfer: int) -> list[bytes]:
        """Forget a transfer and return its pieces as they are; raises `KeyError` as `finish`."""
        return self._pieces.pop(transfer)
