"""What one side of a connection hears of the other, and what the other may cost it; pure."""

from __future__ import annotations

from dataclasses import dataclass

from maim_protocol.http2.codes import ErrorCode, Status

Field = tuple[str, str]
Fields = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection: bytes, frames, seconds.

    `unread_bytes` may wait for a reader before the peer is told to stop. `control_frames` is how
    many frames that carry nothing may come between two calls of `Connection.tick`.
    """

    message_bytes: int = 64 * 1024 * 1024
    window_bytes: int = 4 * 1024 * 1024
    unread_bytes: int = 1024 * 1024
    header_bytes: int = 16 * 1024
    header_frames: int = 8
    control_frames: int = 1000
    keepalive_seconds: float = 20.0
    answer_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Ready:
    """The peer's first SETTINGS came: it speaks HTTP/2."""


@dataclass(frozen=True, slots=True)
class Headers:
    """A request, a response or trailers; nothing comes on the stream after the `last`."""

    fields: Fields
    last: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer sends no more messages; it still reads ours."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The peer ended the stream both ways."""

    code: ErrorCode


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message came that cannot be taken; whatever follows it on the stream is dropped."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is over, for what the peer did or by its GOAWAY; ours is in `out`."""

    text: str


# Messages come as they are: a class around each would cost as much as reading it.
Event = bytes | Ready | Headers | Ended | Reset | Unreadable | Failed
