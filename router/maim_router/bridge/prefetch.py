"""How much of one mailbox may be on its way to a client at a time: pure."""

from __future__ import annotations

from msgspec import Struct

# What of one box may be on its way: enough for a client that acknowledges nothing to be asked
# what it has read.
SLICE_LETTERS = 256
SLICE_BYTES = 4 << 20


class Slice(Struct, frozen=True):
    """How much of one box may be on its way at a time, at least one letter."""

    letters: int = SLICE_LETTERS
    bytes: int = SLICE_BYTES


def slice_for(outbox_bytes: int, outbox_messages: int) -> Slice:
    """Say what a client's outbox holds beside what else comes for it; 0: nobody knows."""
    return Slice(
        min(SLICE_LETTERS, outbox_messages // 2 or 1) if outbox_messages else SLICE_LETTERS,
        min(SLICE_BYTES, outbox_bytes // 2) if outbox_bytes else SLICE_BYTES,
    )
