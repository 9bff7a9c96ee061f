"""How an edge introduces itself, and who may attach."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from maim_protocol.addresses import is_loopback
from maim_protocol.bridge import PROTOCOL_VERSION, EdgeFrame, EdgeStream, Hello, Live, Open
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.auth import Auth, OpenAuth
from maim_router.bridge.open_request import checked_open
from maim_router.connection_map import ConnectionMap
from maim_router.events import EdgeKey

EDGE_ID_MAX_CHARS = 128


def check_hello(hello: Hello, links: Iterable[EdgeKey], auth: Auth) -> None:
    """Raise `AttachRefused` when the edge may not attach beside those that are attached."""
    if not 1 <= len(hello.edge_id) <= EDGE_ID_MAX_CHARS:
        text = f"edge_id: expected 1 to {EDGE_ID_MAX_CHARS} characters"
        raise AttachRefused(AttachProblem.PROTOCOL, f"{text}, got {len(hello.edge_id)}")
    if hello.protocol_version != PROTOCOL_VERSION:
        text = f"expected bridge protocol version {PROTOCOL_VERSION}"
        text = f"{text}, the edge speaks {hello.protocol_version}"
        raise AttachRefused(AttachProblem.VERSION, text)
    if any(k.edge_id == hello.edge_id and k.epoch > hello.epoch for k in links):
        text = f"a later run of the edge {hello.edge_id} is attached"
        raise AttachRefused(AttachProblem.EPOCH, text)
    if isinstance(auth, OpenAuth) and not is_loopback(hello.address):
        text = (
            f"the router lets everybody in and the edge listens on {hello.address}: give the "
            "router MAIM_ROUTER_API_KEYS_FILE or MAIM_ROUTER_APP, or let the edge listen on "
            "127.0.0.1"
        )
        raise AttachRefused(AttachProblem.OPEN, text)


def without_taken_ids(
    unproven: Iterable[Live], proven: Iterable[Live], connections: ConnectionMap
) -> list[Live]:
    """Take the id away from announced connections when another one has it, in the hello too."""
    taken = {live.admission.connection_uuid for live in proven}
    lives = []
    for live in unproven:
        uuid = live.admission.connection_uuid
        if uuid in taken or connections.get(uuid) is not None:
            live = replace(live, admission=replace(live.admission, connection_uuid=""))
        taken.add(uuid)
        lives.append(live)
    return lives


async def read_hello(stream: EdgeStream, timeout: float) -> tuple[Hello, list[EdgeFrame]]:
    """Read the frames of the hello and of its live connections; they may hold more.

    Raises `AttachRefused` when they do not come within `timeout` seconds, or are none.
    """
    try:
        async with asyncio.timeout(timeout):
            return await _read(stream)
    except TimeoutError:
        text = f"expected the whole hello within {timeout:g} s"
        raise AttachRefused(AttachProblem.PROTOCOL, text) from None


async def _read(stream: EdgeStream) -> tuple[Hello, list[EdgeFrame]]:
    frame = await stream.read()
    if frame is None or frame.hello is None:
        raise AttachRefused(AttachProblem.PROTOCOL, "expected a hello in the first frame")
    hello = frame.hello
    frames, missing = [frame], hello.live_count - len(frame.live)
    while missing > 0:
        frame = await stream.read()
        if frame is None or not frame.live:
            text = f"expected {missing} more live connections of the hello"
            raise AttachRefused(AttachProblem.PROTOCOL, text)
        frames.append(frame)
        missing -= len(frame.live)
    _check_live([live.open for frame in frames for live in frame.live])
    return hello, frames


def _check_live(opens: Sequence[Open]) -> None:
    """The router tells connections of one edge by their handles: two would be one with a ghost."""
    for conn, count in Counter(checked_open(asked).conn for asked in opens).most_common(1):
        if count > 1:
            text = f"expected each connection once in the hello, got {conn} {count} times"
            raise AttachRefused(AttachProblem.PROTOCOL, text)
