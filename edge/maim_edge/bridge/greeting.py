"""How an edge introduces itself to a router: pure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from maim_protocol.frames import PROTOCOL_VERSION, EdgeFrame, Hello, Live

LIVE_PER_FRAME = 500


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this edge is; the epoch grows with every start."""

    edge_id: str
    epoch: int
    address: str
    capacity: int = 0


def hello_frames(identity: Identity, live: Sequence[Live]) -> Iterator[EdgeFrame]:
    """Say hello and announce live connections, in frames of bounded size."""
    hello = Hello(
        identity.edge_id,
        identity.epoch,
        PROTOCOL_VERSION,
        identity.address,
        identity.capacity,
        len(live),
    )
    rest = iter(live)
    yield EdgeFrame(hello=hello, live=list(islice(rest, LIVE_PER_FRAME)))
    while batch := list(islice(rest, LIVE_PER_FRAME)):
        yield EdgeFrame(live=batch)


def new_epoch(clock: Callable[[], int] = time.time_ns) -> int:
    """An epoch for a process that starts now."""
    return clock()
