"""A peer that breaks the rules loses the connection, with the code that the RFC names."""

from __future__ import annotations

import pytest

from maim_protocol.http2 import frames
from maim_protocol.http2.codes import ErrorCode
from maim_protocol.http2.frames import frame
from tests.protocol.http2 import pair as wired
from tests.protocol.http2.pair import REQUEST, SMALL, TRAILERS, Pair, Side

ACK, END, WHOLE = frames.ACK, frames.END_STREAM, frames.END_HEADERS
BLOCK = b"\x82"  # :method GET

ON_EITHER_SIDE = {
    "DATA on no stream": (frame(frames.DATA, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR),
    "DATA on a stream nobody opened": (frame(frames.DATA, 0, 9, b"x"), ErrorCode.PROTOCOL_ERROR),
    "DATA with more padding than frame": (
        frame(frames.DATA, frames.PADDED, 1, b"\x01"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "padded DATA that holds nothing": (
        frame(frames.DATA, frames.PADDED, 1) + frame(frames.PING, 0, 0, bytes(8)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "HEADERS on no stream": (frame(frames.HEADERS, WHOLE, 0, BLOCK), ErrorCode.PROTOCOL_ERROR),
    "HEADERS of a server's own stream": (
        frame(frames.HEADERS, WHOLE, 2, BLOCK),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "HEADERS that cannot be unpacked": (
        frame(frames.HEADERS, WHOLE, 1, b"\xff\xff\xff\xff\xff\xff"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "HEADERS of an entry no table has": (
        frame(frames.HEADERS, WHOLE, 1, b"\xfe"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "HEADERS that are no UTF-8": (
        frame(frames.HEADERS, WHOLE, 1, b"\x00\x01\xff\x01\xff"),
        ErrorCode.COMPRESSION_ERROR,
    ),
    "CONTINUATION of nothing": (
        frame(frames.CONTINUATION, WHOLE, 1, BLOCK),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "another frame within a block": (
        frame(frames.HEADERS, 0, 1, BLOCK) + frame(frames.PING, 0, 0, bytes(8)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "DATA within a block": (
        frame(frames.HEADERS, 0, 1, BLOCK) + frame(frames.DATA, 0, 1, b"x"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "CONTINUATION of another stream": (
        frame(frames.HEADERS, 0, 1, BLOCK) + frame(frames.CONTINUATION, WHOLE, 3, BLOCK),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a block in too many frames": (
        frame(frames.HEADERS, 0, 1) + frame(frames.CONTINUATION, 0, 1) * 3,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a block that is too large": (
        frame(frames.HEADERS, 0, 1, bytes(600)) + frame(frames.CONTINUATION, 0, 1, bytes(600)),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a block that is too large unpacked": (
        frame(frames.HEADERS, WHOLE, 1, BLOCK * 30),
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "RST_STREAM on no stream": (
        frames.number(frames.RST_STREAM, 0, 8),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "RST_STREAM of a stream nobody opened": (
        frames.number(frames.RST_STREAM, 9, 8),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a short RST_STREAM": (frame(frames.RST_STREAM, 0, 1, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "SETTINGS on a stream": (frame(frames.SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR),
    "SETTINGS not in sixes": (frame(frames.SETTINGS, 0, 0, b"x"), ErrorCode.FRAME_SIZE_ERROR),
    "an ACK with settings": (
        frame(frames.SETTINGS, ACK, 0, bytes(6)),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "PUSH_PROMISE": (frame(frames.PUSH_PROMISE, WHOLE, 1, bytes(5)), ErrorCode.PROTOCOL_ERROR),
    "PING on a stream": (frame(frames.PING, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a short PING": (frame(frames.PING, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR),
    "GOAWAY on a stream": (frame(frames.GOAWAY, 0, 1, bytes(8)), ErrorCode.PROTOCOL_ERROR),
    "a short GOAWAY": (frame(frames.GOAWAY, 0, 0, bytes(7)), ErrorCode.FRAME_SIZE_ERROR),
    "a short WINDOW_UPDATE": (
        frame(frames.WINDOW_UPDATE, 0, 0, b"x"),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "WINDOW_UPDATE by nothing": (
        frames.number(frames.WINDOW_UPDATE, 0, 0),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "WINDOW_UPDATE of a stream nobody opened": (
        frames.number(frames.WINDOW_UPDATE, 9, 1),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "WINDOW_UPDATE beyond the largest window": (
        frames.number(frames.WINDOW_UPDATE, 0, 2**31 - 1),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "a control frame that is too large": (
        frame(frames.PING, 0, 0, bytes(2**14 + 1)),
        ErrorCode.FRAME_SIZE_ERROR,
    ),
    "more bytes than there was room for": (
        frame(frames.DATA, 0, 1, bytes(65_536)),
        ErrorCode.FLOW_CONTROL_ERROR,
    ),
    "PING without end": (frame(frames.PING, 0, 0, bytes(8)) * 21, ErrorCode.ENHANCE_YOUR_CALM),
    "SETTINGS without end": (frame(frames.SETTINGS, 0, 0) * 21, ErrorCode.ENHANCE_YOUR_CALM),
    "RST_STREAM without end": (
        frames.number(frames.RST_STREAM, 1, 8) * 21,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "empty DATA without end": (frame(frames.DATA, 0, 1) * 21, ErrorCode.ENHANCE_YOUR_CALM),
    "PRIORITY without end": (
        frame(frames.PRIORITY, 0, 1, bytes(5)) * 21,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "unknown frames without end": (frame(0xBB, 0, 7, b"x") * 21, ErrorCode.ENHANCE_YOUR_CALM),
    "unknown and PRIORITY frames": (
        frame(0xBB, 0xFF, 7, b"x") + frame(frames.PRIORITY, 0, 99, bytes(5)),
        None,
    ),
}


def code_of_goaway(side: Side) -> ErrorCode | None:
    """The code that a side that gave up tells its peer."""
    last = side.connection.out[-1] if side.connection.out else b""
    if not side.connection.closed:
        return None
    return frames.goaway_of(bytes(last[frames.HEAD_BYTES :]))[1]


@pytest.mark.parametrize("name", ["client", "server"])
@pytest.mark.parametrize("wrong", ON_EITHER_SIDE)
def test_what_breaks_the_rules_ends_the_connection(wrong: str, name: str) -> None:
    wire, code = ON_EITHER_SIDE[wrong]
    side: Side = getattr(Pair.make(SMALL, SMALL), name)
    side.hear(wire)
    assert code_of_goaway(side) is code
    assert len(side.failures) == (code is not None)


def test_frames_after_the_end_of_a_stream_are_an_error() -> None:
    for wire in (frame(frames.DATA, 0, 1, b"x"), frame(frames.HEADERS, WHOLE | END, 1, BLOCK)):
        server = Pair.make().server
        server.hear(frame(frames.DATA, END, 1))
        server.hear(wire)
        assert code_of_goaway(server) is ErrorCode.STREAM_CLOSED


def test_frames_after_a_reset_are_an_error() -> None:
    server = Pair.make().server
    server.hear(frames.number(frames.RST_STREAM, 1, 8) + frame(frames.DATA, 0, 1, b"x"))
    assert code_of_goaway(server) is ErrorCode.STREAM_CLOSED


def test_a_client_opens_streams_in_order() -> None:
    pair = Pair.make()
    block = pair.client.connection._encoder.encode(REQUEST)
    pair.server.hear(frames.headers(5, block, 0))
    pair.server.take_out()
    pair.server.hear(frames.headers(7, block, 0))
    assert pair.server.failures == []
    pair.server.hear(frame(frames.DATA, 0, 9, b"x"))
    assert code_of_goaway(pair.server) is ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize("make", [wired.client, wired.server])
def test_settings_come_first(make: type[Side]) -> None:
    side = make()
    preface = frames.PREFACE if make is wired.server else b""
    side.hear(preface + frame(frames.PING, 0, 0, bytes(8)))
    assert code_of_goaway(side) is ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize("wire", [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSX"])
def test_a_server_wants_the_preface(wire: bytes) -> None:
    for cut in (lambda w: [w], wired.byte_by_byte):
        server = wired.server()
        server.hear(wire, cut)
        [failure] = server.failures
        assert failure.startswith("expected HTTP/2, the peer speaks ")


@pytest.mark.parametrize(
    ("wire", "spoken"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1"),
        (b"\x15\x03\x03\x00\x02\x02\x0a", "TLS"),
        (b"\x16\x03\x01\x00\xf0\x01\x00\x00", "TLS"),
    ],
)
def test_a_peer_that_speaks_something_else_is_named(wire: bytes, spoken: str) -> None:
    client = wired.client()
    client.hear(wire)
    assert client.failures == [f"expected HTTP/2, the peer speaks {spoken}"]
    assert code_of_goaway(client) is ErrorCode.PROTOCOL_ERROR


def test_a_server_cannot_open_a_stream() -> None:
    client = Pair.make().client
    client.hear(frame(frames.HEADERS, WHOLE, 3, BLOCK))
    assert code_of_goaway(client) is ErrorCode.PROTOCOL_ERROR


def test_control_frames_may_come_again_after_a_while() -> None:
    server = Pair.make(far=SMALL).server
    for _ in range(5):
        server.hear(frame(frames.PING, 0, 0, bytes(8)) * 15)
        server.connection.tick()
    assert server.failures == []


def test_a_call_that_is_over_costs_bounded_attention() -> None:
    server = Pair.make(far=SMALL).server
    server.connection.end(TRAILERS)
    server.hear(frame(frames.DATA, 0, 1, b"x") * 15)
    assert server.failures == []
    server.hear(frame(frames.DATA, 0, 1, b"x") * 15)
    assert code_of_goaway(server) is ErrorCode.ENHANCE_YOUR_CALM


def test_refused_streams_cost_bounded_attention() -> None:
    pair = Pair.make(far=SMALL)
    for stream in range(3, 201, 2):
        pair.server.hear(frame(frames.HEADERS, WHOLE, stream, BLOCK))
    assert code_of_goaway(pair.server) is ErrorCode.ENHANCE_YOUR_CALM
