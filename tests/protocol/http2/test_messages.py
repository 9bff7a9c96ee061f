"""Messages come out of DATA whole, however they were split."""

from __future__ import annotations

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.http2.codes import CallFailed, Status
from maim_protocol.http2.messages import PIECE_BYTES, MessageReader

MESSAGES = st.lists(st.binary(max_size=30), max_size=8)


def prefixed(message: bytes, flag: int = 0) -> bytes:
    return struct.pack(">BI", flag, len(message)) + message


def read(pieces: list[bytes], max_bytes: int = 100) -> list[bytes]:
    reader = MessageReader(max_bytes)
    found: list[bytes] = []
    for piece in pieces:
        reader.feed(b"??" + piece + b"?", 2, 2 + len(piece), found)
    assert not reader.inside
    return found


@given(MESSAGES, st.lists(st.integers(0, 200), max_size=12))
def test_messages_are_whole_in_any_split(messages: list[bytes], cuts: list[int]) -> None:
    wire = b"".join(map(prefixed, messages))
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    assert read([wire[a:b] for a, b in itertools.pairwise(edges)]) == messages


def test_a_large_message_in_small_pieces_costs_little_more_than_its_size() -> None:
    size = 10 * PIECE_BYTES
    reader = MessageReader(size)
    found: list[bytes] = []
    wire = prefixed(b"x" * size)
    for at in range(0, len(wire), 3):
        reader.feed(wire, at, min(at + 3, len(wire)), found)
        assert len(reader._pieces) <= size // PIECE_BYTES + 1
    assert found == [b"x" * size]


def test_a_reader_knows_when_it_is_inside_a_message() -> None:
    reader = MessageReader(100)
    seen = []
    for byte in prefixed(b"ab") + prefixed(b""):
        reader.feed(bytes([byte]), 0, 1, [])
        seen.append(reader.inside)
    assert seen == [True] * 6 + [False] + [True] * 4 + [False]


@pytest.mark.parametrize("flag", [1, 2, 255])
def test_a_compressed_message_is_refused(flag: int) -> None:
    with pytest.raises(CallFailed, match="without compression") as caught:
        read([prefixed(b"x", flag)])
    assert caught.value.status is Status.INTERNAL


def test_a_message_that_is_too_large_is_refused_by_its_prefix() -> None:
    assert read([prefixed(b"x" * 100)]) == [b"x" * 100]
    with pytest.raises(CallFailed, match="at most 100 bytes, got one of 101") as caught:
        read([prefixed(b"x" * 101)[:5]])
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


def test_messages_before_the_one_that_is_refused_are_found() -> None:
    found: list[bytes] = []
    wire = prefixed(b"good") + prefixed(b"bad", 1)
    with pytest.raises(CallFailed):
        MessageReader(100).feed(wire, 0, len(wire), found)
    assert found == [b"good"]
