"""What is sent keeps to the windows and the frame size of the peer, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2 import frames
from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.messages import MessageReader
from maim_protocol.http2.sending import JOIN_BYTES, Output, Sending


def sending(stream_room: int = 65_535) -> tuple[Sending, Output]:
    out: Output = []
    made = Sending(out)
    made.stream = 1
    made.start_from(stream_room)
    return made, out


def payloads(out: Output) -> list[bytes]:
    """The payloads of the DATA frames of `out`."""
    wire, found = b"".join(out), []
    while wire:
        word, flags, stream = frames.HEAD.unpack_from(wire)
        assert (word & 0xFF, flags, stream) == (frames.DATA, 0, 1)
        found.append(wire[9 : 9 + (word >> 8)])
        wire = wire[9 + (word >> 8) :]
    return found


def messages(data: bytes) -> list[bytes]:
    reader = MessageReader(2**20)
    found: list[bytes] = []
    reader.feed(data, 0, len(data), found)
    return found


@pytest.mark.parametrize("size", [0, 1, 400, JOIN_BYTES - 20])
def test_a_message_that_fits_is_one_frame_and_one_buffer(size: int) -> None:
    way, out = sending()
    way.message(b"x" * size)
    assert len(out) == 1
    assert messages(payloads(out)[0]) == [b"x" * size]
    assert not way.blocked


def test_a_larger_one_is_not_copied() -> None:
    way, out = sending(2**20)
    way.make_room(0, 2**20)
    way.frame_bytes = 2**20
    message = b"x" * JOIN_BYTES
    way.message(message)
    assert out[1] is message


@given(
    st.lists(st.binary(max_size=60), max_size=6),
    st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(1, 50)), max_size=40),
    st.integers(0, 30),
    st.integers(5, 40),
)
def test_no_byte_goes_beyond_a_window_and_none_is_lost(
    sent: list[bytes], updates: list[tuple[int, int]], initial: int, frame_bytes: int
) -> None:
    way, out = sending(initial)
    way._connection_room = 20
    way.frame_bytes = frame_bytes
    rooms = {0: 20, 1: initial}
    for message in sent:
        way.message(message)
    for stream, increment in updates:
        rooms[stream] += increment
        way.make_room(stream, increment)
        assert sum(map(len, payloads(out))) <= min(rooms.values())
    way.make_room(0, 10_000)
    way.make_room(1, 10_000)
    assert not way.blocked
    assert messages(b"".join(payloads(out))) == sent
    assert max(map(len, payloads(out)), default=0) <= frame_bytes


def test_a_window_may_shrink_below_nothing_and_grow_again() -> None:
    way, out = sending(100)
    way.message(b"x" * 95)
    way.start_from(10)
    way.message(b"y" * 5)
    assert way.blocked
    way.make_room(1, 90)
    assert way.blocked
    way.make_room(1, 10)
    assert not way.blocked
    assert messages(b"".join(payloads(out))) == [b"x" * 95, b"y" * 5]


def test_trailers_wait_for_the_messages_before_them() -> None:
    way, out = sending(10)
    way.message(b"x" * 10)
    way.end(b"trailers")
    assert b"trailers" not in out
    way.make_room(1, 5)
    assert out[-1] == b"trailers"


def test_trailers_after_nothing_leave_at_once() -> None:
    way, out = sending(0)
    way.end(b"trailers")
    assert out == [b"trailers"]


def test_what_is_dropped_is_never_sent() -> None:
    way, out = sending(0)
    way.message(b"x")
    way.end(b"trailers")
    way.drop()
    way.make_room(1, 100)
    assert (out, way.blocked) == ([], False)


@pytest.mark.parametrize("stream", [0, 1])
def test_a_window_that_grows_too_large_is_an_error(stream: int) -> None:
    way, _ = sending()
    with pytest.raises(ConnectionFailed) as caught:
        way.make_room(stream, 2**31 - 1)
    assert caught.value.code is ErrorCode.FLOW_CONTROL_ERROR
