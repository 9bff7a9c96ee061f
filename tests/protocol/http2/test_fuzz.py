"""Whatever comes, in whatever pieces: the same events, bounded memory, and no exception."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2 import events as ev
from maim_protocol.http2 import frames
from maim_protocol.http2.connection import Connection
from maim_protocol.http2.messages import PIECE_BYTES
from maim_protocol.http2.reader import CONTROL_BYTES
from tests.protocol.http2 import pair as wired
from tests.protocol.http2.pair import REQUEST, SMALL, TRAILERS, Pair, Side


def conversation() -> tuple[bytes, bytes, bytes]:
    """What a client, a server before the call and in it say where everything is in it."""
    before = Pair.make(SMALL, SMALL, open=False).server.sent
    pair = Pair.make(SMALL, SMALL)
    for number in range(6):
        pair.client.connection.send(b"up" * 80 * number)
        pair.server.connection.send(b"down" * 40 * number)
        pair.client.connection.ping()
        pair.settle()
    pair.server.connection.leave()
    pair.server.connection.end(TRAILERS)
    pair.settle()
    pair.client.connection.leave()
    pair.settle()
    return pair.client.sent, before, pair.server.sent.removeprefix(before)


UP, READY, DOWN = conversation()
FRAMES = st.builds(
    frames.frame,
    st.integers(0, 11),
    st.integers(0, 63),
    st.sampled_from([0, 1, 1, 1, 2, 3, 2**31 - 1]),
    st.binary(max_size=60) | st.just(REQUEST[0][0].encode()) | st.just(bytes(8)),
)
CUTS = st.lists(st.integers(0, 3000), max_size=15)


@st.composite
def mutations(draw: st.DrawFn, wire: bytes) -> bytes:
    """A conversation with something overwritten, cut out, doubled or put in."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(wire)))
        end = draw(st.integers(at, min(len(wire), at + 40)))
        piece = draw(st.binary(max_size=12) | st.just(wire[at:end] * 2) | FRAMES)
        wire = wire[:at] + piece + wire[end:]
    return wire


def hear(side: Side, wire: bytes, cuts: list[int]) -> tuple[list[ev.Event], bool]:
    """Let a fresh side hear bytes in pieces; returns what it heard and whether it gave up."""
    if side.connection._client:
        side.hear(READY)
        side.connection.open(REQUEST)
    edges = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    for start, end in itertools.pairwise(edges):
        side.hear(wire[start:end])
        check_memory(side.connection)
    return side.heard, side.connection.closed


def check_memory(connection: Connection) -> None:
    """What is kept of what came is bounded by the limits, not by what came."""
    assert len(connection._frames._rest) < frames.HEAD_BYTES + CONTROL_BYTES
    assert len(connection._blocks._pieces) <= SMALL.header_frames + 1
    pieces = connection._messages._pieces
    assert sum(map(len, pieces)) <= SMALL.message_bytes
    assert len(pieces) <= SMALL.message_bytes // PIECE_BYTES + 2


def check(make: type[Side], wire: bytes, cuts: list[int]) -> None:
    whole = hear(make(SMALL), wire, [])
    assert hear(make(SMALL), wire, cuts) == whole
    assert hear(make(SMALL), wire, list(range(len(wire)))) == whole


def beginning(make: type[Side]) -> bytes:
    """Bytes after which a call runs, so that what follows means something."""
    return UP[: UP.index(b"up")] if make is wired.server else b""


@pytest.mark.parametrize("make", [wired.client, wired.server])
@given(wire=st.binary(max_size=300), cuts=CUTS)
def test_random_bytes(make: type[Side], wire: bytes, cuts: list[int]) -> None:
    check(make, wire, cuts)
    check(make, beginning(make) + wire, cuts)


@pytest.mark.parametrize("make", [wired.client, wired.server])
@given(sent=st.lists(FRAMES, max_size=12), cuts=CUTS)
def test_random_frames(make: type[Side], sent: list[bytes], cuts: list[int]) -> None:
    check(make, beginning(make) + b"".join(sent), cuts)


@pytest.mark.parametrize(("make", "wire"), [(wired.server, UP), (wired.client, DOWN)])
@given(data=st.data(), cuts=CUTS)
def test_a_conversation_with_faults(
    make: type[Side], wire: bytes, data: st.DataObject, cuts: list[int]
) -> None:
    check(make, data.draw(mutations(wire)), cuts)


@pytest.mark.parametrize(("make", "wire"), [(wired.server, UP), (wired.client, DOWN)])
@given(cuts=CUTS)
def test_a_conversation_as_it_was(make: type[Side], wire: bytes, cuts: list[int]) -> None:
    check(make, wire, cuts)
    heard, closed = hear(make(SMALL), wire, cuts)
    assert not closed
    assert sum(isinstance(event, bytes) for event in heard) == 6
