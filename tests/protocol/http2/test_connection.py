"""Two connections that are wired to each other carry a call from its beginning to its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2 import call, frames
from maim_protocol.http2 import events as ev
from maim_protocol.http2.codes import ErrorCode, Status
from tests.protocol.http2.pair import REQUEST, SMALL, TRAILERS, Pair, limits


def test_a_client_hears_that_the_server_is_ready_before_it_calls() -> None:
    pair = Pair.make(open=False)
    assert pair.client.heard == pair.server.heard == [ev.Ready()]


def test_a_request_and_its_response_arrive() -> None:
    pair = Pair.make()
    assert pair.server.heard[1:] == [ev.Headers(REQUEST, last=False)]
    assert pair.client.heard[1:] == [ev.Headers(call.RESPONSE, last=False)]


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=20))
def test_messages_arrive_both_ways_in_order(sent: list[tuple[bool, bytes]]) -> None:
    pair = Pair.make(SMALL, SMALL)
    for up, message in sent:
        (pair.client if up else pair.server).connection.send(message)
    pair.settle()
    assert pair.server.messages == [message for up, message in sent if up]
    assert pair.client.messages == [message for up, message in sent if not up]


@pytest.mark.parametrize("window", [1, 100, 65_535, 10**6])
def test_a_message_may_be_larger_than_the_window(window: int) -> None:
    pair = Pair.make(limits(window_bytes=window), limits(window_bytes=window))
    message = b"x" * min(3 * window + 7, 10**6)
    for side in (pair.client, pair.server):
        side.connection.send(message)
    pair.settle()
    assert pair.server.messages == pair.client.messages == [message]


def test_who_does_not_read_stops_the_other_and_who_reads_again_lets_it_go_on() -> None:
    pair = Pair.make(far=limits(window_bytes=1000))
    pair.server.connection.hold = True
    for _ in range(5):
        pair.client.connection.send(b"x" * 300)
        pair.settle()
    assert len(pair.server.messages) == 3
    assert pair.client.connection.blocked
    pair.server.connection.release()
    pair.settle()
    assert len(pair.server.messages) == 5
    assert not pair.client.connection.blocked


def test_what_a_larger_window_has_room_for_is_sent_after_the_settings_are_acknowledged() -> None:
    pair = Pair.make(far=limits(window_bytes=100))
    pair.client.connection.send(b"x" * 500)
    pair.client.take_out()
    larger = b"\x00\x04" + (1000).to_bytes(4, "big")
    pair.client.hear(frames.number(frames.WINDOW_UPDATE, 0, 1000))
    pair.client.hear(frames.frame(frames.SETTINGS, 0, 0, larger))
    ack = frames.frame(frames.SETTINGS, frames.ACK, 0)
    wire = pair.client.take_out()
    assert wire.startswith(ack)
    assert len(wire) > len(ack)


def test_trailers_end_a_call_after_what_waits_and_tell_the_client_to_send_no_more() -> None:
    pair = Pair.make(near=limits(window_bytes=50))
    pair.server.connection.send(b"x" * 500)
    pair.server.connection.end(TRAILERS)
    pair.settle()
    assert pair.client.heard[2:] == [
        b"x" * 500,
        ev.Headers(TRAILERS, last=True),
        ev.Reset(ErrorCode.NO_ERROR),
    ]


def test_what_a_client_still_sends_after_the_end_is_dropped() -> None:
    pair = Pair.make()
    pair.server.connection.end(TRAILERS)
    pair.client.connection.send(b"late")
    pair.server.hear(pair.client.take_out())
    assert pair.server.messages == []
    assert pair.server.failures == []


def test_a_client_may_end_its_half_and_still_be_answered() -> None:
    pair = Pair.make()
    pair.server.hear(frames.frame(frames.DATA, frames.END_STREAM, 1))
    pair.server.connection.send(b"answer")
    pair.server.connection.end(TRAILERS)
    pair.settle()
    assert pair.server.heard[-1] == ev.Ended()
    assert pair.client.heard[2:] == [b"answer", ev.Headers(TRAILERS, last=True)]


def test_a_reset_is_heard_and_what_waited_is_gone() -> None:
    pair = Pair.make()
    pair.client.connection.send(b"x" * 10**7)
    pair.client.connection.reset(ErrorCode.CANCEL)
    assert not pair.client.connection.blocked
    pair.settle()
    assert pair.server.heard[-1] == ev.Reset(ErrorCode.CANCEL)


def test_who_leaves_lets_the_call_run_on() -> None:
    pair = Pair.make()
    pair.server.connection.leave()
    pair.server.connection.send(b"more")
    pair.settle()
    assert pair.client.messages == [b"more"]
    assert pair.client.failures == []


def test_a_goaway_that_excludes_the_call_ends_it() -> None:
    pair = Pair.make()
    pair.client.hear(frames.goaway(0, ErrorCode.NO_ERROR, "restart"))
    assert pair.client.failures == ["the peer went away: NO_ERROR restart"]
    assert pair.client.connection.closed


def test_a_goaway_before_the_call_ends_the_connection() -> None:
    pair = Pair.make(open=False)
    pair.server.connection.leave()
    pair.settle()
    assert pair.client.failures == ["the peer went away: NO_ERROR"]


@pytest.mark.parametrize("name", ["client", "server"])
def test_a_goaway_with_an_error_ends_either_side(name: str) -> None:
    side = getattr(Pair.make(), name)
    side.hear(frames.goaway(1, ErrorCode.ENHANCE_YOUR_CALM, "too_many_pings"))
    assert side.failures == ["the peer went away: ENHANCE_YOUR_CALM too_many_pings"]


def test_a_ping_is_answered_with_its_own_bytes() -> None:
    pair = Pair.make()
    pair.server.hear(frames.frame(frames.PING, 0, 0, b"12345678"))
    answer = frames.frame(frames.PING, frames.ACK, 0, b"12345678")
    assert pair.server.take_out() == answer
    pair.server.hear(answer)
    assert pair.server.take_out() == b""


def test_a_second_call_on_the_connection_is_refused_and_the_first_goes_on() -> None:
    pair = Pair.make()
    block = pair.client.connection._encoder.encode(REQUEST)
    pair.server.hear(frames.headers(3, block, 0))
    pair.server.hear(frames.frame(frames.DATA, 0, 3, b"\x00\x00\x00\x00\x01x"))
    refusal = frames.number(frames.RST_STREAM, 3, ErrorCode.REFUSED_STREAM)
    assert pair.server.take_out() == refusal
    pair.client.connection.send(b"first")
    pair.settle()
    assert pair.server.messages == [b"first"]


def test_a_block_in_many_frames_with_padding_is_one_request() -> None:
    pair = Pair.make(open=False)
    block = pair.client.connection._encoder.encode(REQUEST)
    padded = b"\x03" + block[:5] + b"\x00" * 3
    pair.server.hear(frames.frame(frames.HEADERS, frames.PADDED | frames.END_STREAM, 1, padded))
    pair.server.hear(frames.frame(frames.CONTINUATION, 0, 1, block[5:9]))
    pair.server.hear(frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1, block[9:]))
    assert pair.server.heard[1:] == [ev.Headers(REQUEST, last=True)]


def test_padding_of_data_is_no_part_of_a_message_but_counts_for_the_window() -> None:
    pair = Pair.make(far=limits(window_bytes=300))
    payload = b"\xff" + b"\x00\x00\x00\x00\x02ok" + bytes(255)
    pair.server.hear(frames.frame(frames.DATA, frames.PADDED, 1, payload))
    assert pair.server.messages == [b"ok"]
    assert frames.number(frames.WINDOW_UPDATE, 1, len(payload)) in pair.server.take_out()


@pytest.mark.parametrize(
    ("message", "status"),
    [(b"\x01\x00\x00\x00\x01x", Status.INTERNAL), (b"\x00\xff\xff\xff\xff", 8)],
    ids=["compressed", "too large"],
)
def test_a_message_that_cannot_be_read_ends_the_call_but_not_the_connection(
    message: bytes, status: int
) -> None:
    pair = Pair.make()
    pair.server.hear(frames.frame(frames.DATA, 0, 1, b"\x00\x00\x00\x00\x01a" + message))
    pair.server.hear(frames.frame(frames.DATA, frames.END_STREAM, 1, b"whatever"))
    assert pair.server.messages == [b"a"]
    [problem] = [event for event in pair.server.heard if isinstance(event, ev.Unreadable)]
    assert problem.status == status
    assert pair.server.failures == []


def test_a_stream_that_ends_within_a_message_is_a_broken_call() -> None:
    pair = Pair.make()
    pair.server.hear(frames.frame(frames.DATA, frames.END_STREAM, 1, b"\x00\x00"))
    [problem] = [event for event in pair.server.heard if isinstance(event, ev.Unreadable)]
    assert problem.status is Status.INTERNAL


def test_trailers_within_a_message_still_tell_the_status() -> None:
    pair = Pair.make()
    pair.client.hear(frames.frame(frames.DATA, 0, 1, b"\x00\x00"))
    pair.server.connection.end(TRAILERS)
    pair.settle()
    assert pair.client.heard[2] == ev.Headers(TRAILERS, last=True)


def test_nothing_is_read_of_a_connection_that_failed() -> None:
    pair = Pair.make()
    pair.server.connection.fail(ErrorCode.NO_ERROR, "enough")
    pair.client.connection.send(b"late")
    pair.server.hear(pair.client.take_out())
    assert pair.server.messages == []


def test_a_peer_that_keeps_no_header_table_is_spared_one() -> None:
    pair = Pair.make(open=False)
    no_table = b"\x00\x01" + bytes(4)
    pair.client.hear(frames.frame(frames.SETTINGS, 0, 0, no_table))
    pair.server.connection._blocks._decoder.max_allowed_table_size = 0
    pair.server.connection._blocks._decoder.header_table_size = 0
    pair.client.connection.open(REQUEST)
    pair.settle()
    assert pair.server.heard[1:] == [ev.Headers(REQUEST, last=False)]
