"""Frames are written as RFC 9113 draws them, and what is malformed has its error."""

from __future__ import annotations

import pytest

from maim_protocol.http2 import frames
from maim_protocol.http2.codes import ConnectionFailed, ErrorCode


def test_a_frame_is_a_head_of_nine_bytes_and_its_payload() -> None:
    assert frames.frame(frames.PING, frames.ACK, 0, b"12345678") == (
        b"\x00\x00\x08\x06\x01\x00\x00\x00\x0012345678"
    )


def test_a_header_block_that_fits_is_one_frame() -> None:
    assert frames.headers(1, b"block", frames.END_STREAM) == (
        b"\x00\x00\x05\x01\x05\x00\x00\x00\x01block"
    )


@pytest.mark.parametrize("size", [0, 1, 2**14, 2**14 + 1, 2**15, 2**15 + 1])
def test_a_larger_one_goes_on_in_continuations(size: int) -> None:
    wire = frames.headers(3, b"x" * size, 0)
    kinds, block = [], b""
    while wire:
        word, flags, stream = frames.HEAD.unpack_from(wire)
        kinds.append((word & 0xFF, flags))
        assert (stream, word >> 8 <= 2**14) == (3, True)
        block += wire[9 : 9 + (word >> 8)]
        wire = wire[9 + (word >> 8) :]
    assert block == b"x" * size
    assert [kind for kind, _ in kinds] == [frames.HEADERS] + [frames.CONTINUATION] * (
        len(kinds) - 1
    )
    assert [flags for _, flags in kinds] == [0] * (len(kinds) - 1) + [frames.END_HEADERS]


def test_goaway_tells_the_last_stream_the_code_and_a_text_of_bounded_length() -> None:
    wire = frames.goaway(7, ErrorCode.ENHANCE_YOUR_CALM, "é" * 500)
    last_stream, code, text = frames.goaway_of(wire[frames.HEAD_BYTES :])
    assert (last_stream, code) == (7, ErrorCode.ENHANCE_YOUR_CALM)
    assert text == "é" * 100


def test_an_unknown_error_code_is_an_internal_error() -> None:
    payload = b"\x00\x00\x00\x01" + b"\x00\x00\xff\xff"
    assert frames.goaway_of(payload)[1] is ErrorCode.INTERNAL_ERROR


@pytest.mark.parametrize(
    ("flags", "payload", "inside"),
    [
        (0, b"block", b"block"),
        (frames.PADDED, b"\x02block\x00\x00", b"block"),
        (frames.PADDED, b"\x00block", b"block"),
        (frames.PRIORITISED, b"\x80\x00\x00\x00\x10block", b"block"),
        (frames.PADDED | frames.PRIORITISED, b"\x01\x80\x00\x00\x00\x10block\x00", b"block"),
        (frames.PADDED, b"\x02\x00\x00", b""),
    ],
)
def test_padding_and_priority_are_no_part_of_a_block(
    flags: int, payload: bytes, inside: bytes
) -> None:
    assert frames.unwrapped(flags, payload) == inside


@pytest.mark.parametrize(
    ("flags", "payload"),
    [
        (frames.PADDED, b""),
        (frames.PADDED, b"\x06block"),
        (frames.PADDED, b"\xff"),
        (frames.PRIORITISED, b"\x00\x00"),
        (frames.PADDED | frames.PRIORITISED, b"\x01\x80\x00\x00\x00\x10"),
    ],
)
def test_more_padding_than_frame_is_a_protocol_error(flags: int, payload: bytes) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        frames.unwrapped(flags, payload)
    assert caught.value.code is ErrorCode.PROTOCOL_ERROR


@pytest.mark.parametrize("payload", [b"", b"123", b"12345"])
def test_a_number_has_four_bytes(payload: bytes) -> None:
    with pytest.raises(ConnectionFailed, match="expected 4 bytes") as caught:
        frames.number_of("RST_STREAM", payload)
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR
