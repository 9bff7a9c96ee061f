"""What is announced at the beginning, and how an edge of ours is known by it."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2 import THIN_STREAM, announces_thin_stream, frames, settings
from maim_protocol.http2.codes import ConnectionFailed, ErrorCode
from maim_protocol.http2.events import Limits

OURS = settings.beginning(Limits(), {THIN_STREAM: 1}, client=True)
OTHERS = settings.beginning(Limits(), {}, client=True)


def payload(**values: int) -> bytes:
    pairs = [(getattr(settings, name), value) for name, value in values.items()]
    return b"".join(struct.pack(">HI", *pair) for pair in pairs)


def test_a_client_begins_with_the_preface_a_server_with_settings() -> None:
    assert OTHERS.startswith(frames.PREFACE + b"\x00\x00")
    from_server = settings.beginning(Limits(), {}, client=False)
    assert from_server[3] == frames.SETTINGS


def test_a_window_beyond_the_default_is_given_to_the_connection_too() -> None:
    wire = settings.beginning(Limits(window_bytes=100_000), {}, client=False)
    assert wire.endswith(frames.number(frames.WINDOW_UPDATE, 0, 100_000 - 65_535))
    small = settings.beginning(Limits(window_bytes=10_000), {}, client=False)
    assert frames.number(frames.WINDOW_UPDATE, 0, 1)[:4] not in small


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"MAX_FRAME_SIZE": 2**14 - 1}, ErrorCode.PROTOCOL_ERROR),
        ({"MAX_FRAME_SIZE": 2**24}, ErrorCode.PROTOCOL_ERROR),
        ({"INITIAL_WINDOW_SIZE": 2**31}, ErrorCode.FLOW_CONTROL_ERROR),
        ({"ENABLE_PUSH": 2}, ErrorCode.PROTOCOL_ERROR),
    ],
)
@pytest.mark.parametrize("client", [True, False])
def test_values_out_of_bounds_are_refused(
    values: dict[str, int], code: ErrorCode, client: bool
) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        settings.read(payload(**values), client=client)
    assert caught.value.code is code


def test_a_server_cannot_push() -> None:
    assert settings.read(payload(ENABLE_PUSH=1), client=False)
    with pytest.raises(ConnectionFailed):
        settings.read(payload(ENABLE_PUSH=1), client=True)


def test_settings_come_in_sixes() -> None:
    with pytest.raises(ConnectionFailed) as caught:
        settings.read(b"1234567", client=True)
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR


def test_what_is_unknown_is_read_and_means_nothing() -> None:
    found = settings.read(struct.pack(">HI", THIN_STREAM, 1), client=False)
    assert found == {THIN_STREAM: 1}


@given(st.integers(0, len(OURS) - 1))
def test_an_edge_of_ours_is_known_as_soon_as_its_settings_are_whole(size: int) -> None:
    whole = len(frames.PREFACE) + 9 + 6 * 5
    assert announces_thin_stream(OURS[:size]) is (True if size >= whole else None)


@given(st.integers(0, len(OTHERS)))
def test_another_client_is_never_taken_for_one(size: int) -> None:
    assert announces_thin_stream(OTHERS[:size]) is not True
    assert announces_thin_stream(OTHERS) is False


@pytest.mark.parametrize(
    "head",
    [
        b"G",
        b"GET / HTTP/1.1\r\n",
        b"PRI * HTTP/1.1",
        b"\x16\x03\x01",
        frames.PREFACE + frames.frame(frames.HEADERS, 4, 1, b"\x82"),
        frames.PREFACE + frames.HEAD.pack(2**14 << 8 | frames.SETTINGS, 0, 0),
        frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0, b"12345"),
        frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0),
    ],
)
def test_what_is_no_edge_is_told_without_waiting_for_more(head: bytes) -> None:
    assert announces_thin_stream(head) is False


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(junk: bytes) -> None:
    assert announces_thin_stream(junk) in (False, None)
    assert announces_thin_stream(frames.PREFACE + junk) in (True, False, None)
