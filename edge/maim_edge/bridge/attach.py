"""How an edge introduces itself to a router."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from maim_protocol.bridge import PROTOCOL_VERSION, EdgeFrame, Hello, Live, RouterStream, Welcome
from maim_protocol.errors import RouterUnavailable

WELCOME_TIMEOUT = 15.0
LIVE_PER_FRAME = 500


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this edge is, and what it holds; the epoch grows with every start."""

    edge_id: str
    epoch: int
    address: str
    capacity: int = 0
    outbox_bytes: int = 0
    outbox_messages: int = 0


async def attach(stream: RouterStream, identity: Identity, live: Sequence[Live]) -> Welcome:
    """Say hello and wait for the welcome; raises `RouterUnavailable`, or what `read` raises."""
    async with asyncio.timeout(WELCOME_TIMEOUT):
        # A router that refuses ends the stream at once; only reading tells why.
        with suppress(ConnectionError):
            for frame in hello_frames(identity, live):
                await stream.write(frame)
        answer = await stream.read()
    if answer is None or answer.welcome is None:
        raise RouterUnavailable("the router ended the stream before its welcome")
    return answer.welcome


def hello_frames(identity: Identity, live: Sequence[Live]) -> Iterator[EdgeFrame]:
    """Say hello and announce live connections, in frames of bounded size."""
    hello = Hello(
        identity.edge_id,
        identity.epoch,
        PROTOCOL_VERSION,
        identity.address,
        identity.capacity,
        len(live),
        identity.outbox_bytes,
        identity.outbox_messages,
    )
    rest = iter(live)
    yield EdgeFrame(hello=hello, live=list(islice(rest, LIVE_PER_FRAME)))
    while batch := list(islice(rest, LIVE_PER_FRAME)):
        yield EdgeFrame(live=batch)


def new_epoch(clock: Callable[[], int] = time.time_ns) -> int:
    """An epoch for a process that starts now."""
    return clock()
