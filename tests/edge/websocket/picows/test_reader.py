"""What picows parses for us, however the bytes are cut, without a connection."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from maim_edge.websocket.fragments import Violation
from maim_edge.websocket.picows.reader import PicowsReader

MAX_SIZE = 300_000


class Wire:
    """Transport, receiver and control of a reader: takes everything down."""

    unchecked_bytes: float = math.inf

    def __init__(self) -> None:
        self.got: list[tuple[Any, ...]] = []
        self.written: list[bytes] = []

    def get_write_buffer_size(self) -> int:
        return 1  # so that picows writes through the transport

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else None

    def fileno(self) -> int:
        return -1

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def take_text(self, data: bytes) -> None:
        self.got.append((Opcode.TEXT, data))

    def take_binary(self, data: bytes) -> None:
        self.got.append((Opcode.BINARY, data))

    def on_ping(self, data: bytes) -> None:
        self.got.append((Opcode.PING, data))

    def on_pong(self) -> None:
        self.got.append((Opcode.PONG, b""))

    def on_close(self, code: int, reason: str) -> None:
        self.got.append((code, reason))

    def on_held(self, size: int) -> None:
        assert size >= 0


def reading() -> tuple[PicowsReader, Wire]:
    wire: Any = Wire()
    return PicowsReader(wire, wire, wire, MAX_SIZE), wire


def frames(opcode: Opcode, data: bytes, pieces: int) -> bytes:
    """A message in fragments, a ping before each of them but the first."""
    size = max(1, -(-len(data) // pieces))
    parts = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
    sent = b""
    for index, part in enumerate(parts):
        if index:
            sent += Frame(Opcode.PING, b"p").serialize(mask=True)
        kind = Opcode.CONT if index else opcode
        sent += Frame(kind, part, index == len(parts) - 1).serialize(mask=True)
    return sent


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Opcode.TEXT, Opcode.BINARY]),
            st.sampled_from([0, 1, 125, 126, 1000, 1790, 1800, 5000, 65535, 65536, 200_000]),
            st.integers(1, 4),
        ),
        max_size=6,
    ),
    st.lists(st.sampled_from([1, 2, 5, 14, 100, 1434, 1500, 70_000]), max_size=30),
)
async def test_messages_are_whole_however_the_bytes_are_cut(
    sent: list[tuple[Opcode, int, int]], cuts: list[int]
) -> None:
    reader, wire = reading()
    stream = b"".join(frames(opcode, b"x" * size, pieces) for opcode, size, pieces in sent)
    start = 0
    for cut in cuts:
        reader.feed(stream[start : start + cut])
        start += cut
    reader.feed(stream[start:])
    messages = [(kind, len(data)) for kind, data in wire.got if kind is not Opcode.PING]
    assert messages == [(opcode, size) for opcode, size, _ in sent]
    assert wire.written == []


@pytest.mark.parametrize("seed", range(20))
async def test_nonsense_is_a_violation_or_nothing(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same nonsense each time
    for _ in range(200):
        reader, wire = reading()
        with suppress(Violation):
            for _ in range(20):
                reader.feed(chance.randbytes(chance.choice([1, 2, 7, 300, 3000])))
        assert wire.written == []


@pytest.mark.parametrize(
    "end", [b"\x83\x80", b"\x81\x00", b"\x09\x80", b"\x88\x81\x00\x00\x00\x00a"]
)
async def test_what_came_before_a_fault_is_taken_and_picows_answers_nothing(end: bytes) -> None:
    reader, wire = reading()
    with pytest.raises(Violation) as caught:
        reader.feed(Frame(Opcode.TEXT, b"first").serialize(mask=True) + end + b"\x81\x80\0\0\0\0")
    assert caught.value.code == 1002
    assert wire.got == [(Opcode.TEXT, b"first")]
    assert wire.written == []
