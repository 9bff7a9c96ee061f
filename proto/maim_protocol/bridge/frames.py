"""Bridge frames as Python values: what edge and router say to each other, whatever carries them.

Field by field the same as `v1/bridge.proto`, where units and bounds are written down. The hot
parts are columns, since a gRPC message a client message costs a hundred times more. Who makes a
frame appends to lists; who reads one may rely on sequences only.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from maim_protocol.bridge.pace import Pace

PROTOCOL_VERSION = 1
CHUNK_BYTES = 256 * 1024
FRAME_BYTES = 1024 * 1024
FRAME_MESSAGES = 1024

Ranges = list[tuple[int, int]]


class Want(enum.IntEnum):
    """What the router wants to be told of a delivery.

    It keeps a delivery until the edge is done with it, that is until the client is known to have
    it; but one that is `PASSING` is over when it is written.
    """

    DONE = 0
    WRITTEN = 1
    ACKED = 2
    PASSING = 3


class BridgeOutcome(enum.IntEnum):
    """What became of a delivery at one connection."""

    WRITTEN = 1
    ACKED = 2
    GONE = 3
    SLOW = 4
    TOO_LARGE = 5
    DROPPED = 6


@dataclass(frozen=True, slots=True)
class Hello:
    edge_id: str
    epoch: int
    protocol_version: int
    address: str
    capacity: int = 0
    live_count: int = 0
    outbox_bytes: int = 0
    outbox_messages: int = 0


@dataclass(frozen=True, slots=True)
class Welcome:
    router_id: str
    protocol_version: int = PROTOCOL_VERSION


@dataclass(frozen=True, slots=True, repr=False)
class Open:
    """A connection that asks to be let in; holds the credential, so it has no repr."""

    conn: int
    api_key: str
    platform: str
    label: str = ""
    client_ip: str = ""
    connected_at: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    connection_uuid: str
    user_id: str
    proof: bytes = b""


@dataclass(frozen=True, slots=True)
class Refused:
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Live:
    open: Open
    admission: Admission


@dataclass(frozen=True, slots=True)
class Verdict:
    conn: int
    answer: Admission | Refused


@dataclass(frozen=True, slots=True)
class Closed:
    conn: int
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class DisconnectOrder:
    conn: int
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    ordinal: int
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class PendingBytes:
    """What one client has yet to take: bytes of memory, messages in its outbox."""

    conn: int
    bytes: int
    messages: int


@dataclass(frozen=True, slots=True)
class DrainOrder:
    """Send every client away, within this many seconds; 0: as the edge's settings say."""

    window_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunk:
    transfer: int
    data: bytes


@dataclass(slots=True)
class EdgeMessages:
    """Messages of clients, parallel columns, an entry a message; no `transfers`: all are 0."""

    ordinals: list[int] = field(default_factory=list)
    conns: list[int] = field(default_factory=list)
    msg_ids: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    target_keys: list[str] = field(default_factory=list)
    target_platforms: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    transfers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Deliveries:
    """Messages for clients, parallel columns, an entry a delivery (`conns` excepted).

    No `fanouts`: all are 1. No `wants`, `transfers`, `settles` or `numbers`: all are 0.
    """

    ordinals: list[int] = field(default_factory=list)
    fanouts: list[int] = field(default_factory=list)
    conns: list[int] = field(default_factory=list)
    msg_ids: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    sender_users: list[str] = field(default_factory=list)
    sender_platforms: list[str] = field(default_factory=list)
    target_users: list[str] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    timestamps: list[float] = field(default_factory=list)
    wants: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    transfers: list[int] = field(default_factory=list)
    settles: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Outcomes:
    """Outcomes of deliveries, parallel columns, an entry a delivery and connection."""

    ordinals: list[int] = field(default_factory=list)
    conns: list[int] = field(default_factory=list)
    outcomes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class EdgeFrame:
    """What gathered at the edge; parts are read in the order of the fields."""

    hello: Hello | None = None
    live: Sequence[Live] = ()
    opens: Sequence[Open] = ()
    chunks: Sequence[Chunk] = ()
    messages: EdgeMessages | None = None
    closes: Sequence[Closed] = ()
    taken_through: int = 0
    done: Ranges = field(default_factory=list)
    outcomes: Outcomes | None = None
    given_back: Deliveries | None = None
    given_back_from: Sequence[Live] = ()
    pending: Sequence[PendingBytes] = ()
    draining: bool = False


@dataclass(slots=True)
class RouterFrame:
    """What gathered at the router; parts are read in the order of the fields."""

    welcome: Welcome | None = None
    verdicts: Sequence[Verdict] = ()
    chunks: Sequence[Chunk] = ()
    deliveries: Deliveries | None = None
    disconnects: Sequence[DisconnectOrder] = ()
    settled: Ranges = field(default_factory=list)
    rejections: Sequence[Rejection] = ()
    kept: Ranges = field(default_factory=list)
    drain: DrainOrder | None = None


class _Sent:
    """Nothing to wait for."""

    def __await__(self) -> Generator[None, None, None]:
        yield from ()


SENT = _Sent()


class EdgeStream(Protocol):
    """One attachment as the router sees it: EdgeFrames come in, RouterFrames go out."""

    @property
    def pace(self) -> Pace:
        """How long to gather between two writes."""

    async def read(self) -> EdgeFrame | None:
        """Wait for the next frame; None when the edge has ended the stream or is gone."""

    def write(self, frame: RouterFrame) -> Awaitable[None]:
        """Send a frame; await what is returned before the next one, unless it is `SENT`.

        Raises ConnectionError, now or when awaited, when the stream is gone.
        """


class RouterStream(Protocol):
    """One attachment as the edge sees it: RouterFrames come in, EdgeFrames go out."""

    @property
    def pace(self) -> Pace:
        """How long to gather between two writes."""

    async def read(self) -> RouterFrame | None:
        """Wait for the next frame; None when the router has ended the stream or is gone."""

    def write(self, frame: EdgeFrame) -> Awaitable[None]:
        """Send a frame; await what is returned before the next one, unless it is `SENT`.

        Raises ConnectionError, now or when awaited, when the stream is gone.
        """

    async def close(self) -> None:
        """End the stream; safe to call twice."""
