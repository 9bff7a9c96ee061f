"""What waits to be written to one client: bounded in bytes and number, pure.

The bytes are memory, so their bound is hard. The number is a sign that a client is slow, and only
one that lasts: a thousand small messages may well come in one frame of the router.
"""

from __future__ import annotations

from collections import deque

import msgspec

from maim_edge.bridge.downlink import Receipt
from maim_edge.dialects import Pieces
from maim_protocol.frames import BridgeOutcome

# How long there may be more messages than the limit.
OVER_SECONDS = 2.0
# What a frame costs besides its data.
FRAME_BYTES = 200


class OutFrame(msgspec.Struct, frozen=True):
    """One frame for a client, and whom to tell when it is written; or the end of it all."""

    pieces: Pieces
    receipt: Receipt | None = None
    # Close the connection instead, with this code and reason.
    close: tuple[int, str] | None = None

    @property
    def size(self) -> int:
        """Memory that it takes, in bytes."""
        return sum(map(len, self.pieces)) + FRAME_BYTES


class Outbox:
    """A queue with a bound; an empty one takes a frame of any size."""

    __slots__ = ("_frames", "_limit_bytes", "_limit_messages", "_over_since", "bytes")

    def __init__(self, limit_bytes: int, limit_messages: int) -> None:
        self._limit_bytes = limit_bytes
        self._limit_messages = limit_messages
        self._frames: deque[OutFrame] = deque()
        self._over_since: float | None = None
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: OutFrame, now: float) -> bool:
        """Append a frame at `now` (monotonic seconds); False when there is no room for it."""
        if frame.close is None and self._frames and not self._has_room(frame.size, now):
            return False
        self._frames.append(frame)
        self.bytes += frame.size
        return True

    def first(self) -> OutFrame | None:
        """The oldest frame, which stays until `pop`: what is being written takes room too."""
        return self._frames[0] if self._frames else None

    def pop(self) -> None:
        """Remove the oldest frame."""
        self.bytes -= self._frames.popleft().size
        if len(self._frames) < self._limit_messages:
            self._over_since = None

    def fail(self, outcome: BridgeOutcome) -> None:
        """Drop everything and say so to whoever waits for it."""
        frames, self._frames = self._frames, deque()
        self.bytes = 0
        for frame in frames:
            if frame.receipt is not None:
                frame.receipt.failed(outcome)

    def _has_room(self, size: int, now: float) -> bool:
        if self.bytes + size > self._limit_bytes:
            return False
        if len(self._frames) < self._limit_messages:
            return True
        if self._over_since is None:
            self._over_since = now
        return now - self._over_since <= OVER_SECONDS
