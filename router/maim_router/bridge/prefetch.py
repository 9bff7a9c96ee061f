"""How much of one mailbox may be on its way to a client at a time: pure."""

from __future__ import annotations

from msgspec import Struct

# What of one box may be on its way: enough for a client that acknowledges nothing to be asked
# what it has read.
PREFETCH_LETTERS = 256
PREFETCH_BYTES = 4 << 20


class Prefetch(Struct, frozen=True):
    """How much of one box may be on its way at a time, at least one letter."""

    letters: int = PREFETCH_LETTERS
    bytes: int = PREFETCH_BYTES


def prefetch_for(outbox_bytes: int, outbox_messages: int) -> Prefetch:
    """Say what a client's outbox holds beside what else comes for it; 0: nobody knows."""
    return Prefetch(
        min(PREFETCH_LETTERS, outbox_messages // 2 or 1) if outbox_messages else PREFETCH_LETTERS,
        min(PREFETCH_BYTES, outbox_bytes // 2) if outbox_bytes else PREFETCH_BYTES,
    )
