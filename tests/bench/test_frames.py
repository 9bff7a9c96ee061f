"""Frames that were masked beforehand are frames that a server understands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, State
from websockets.server import ServerProtocol

from maim_bench.clients import frames
from maim_bench.clients.frames import Template, make_token


def texts(data: bytes) -> list[str]:
    """Read a client's bytes as a server of another library does."""
    server = ServerProtocol(state=State.OPEN, max_size=None)
    assert server.side is SERVER
    server.receive_data(data)
    assert server.parser_exc is None
    return [
        bytes(event.data).decode()
        for event in server.events_received()
        if isinstance(event, Frame) and event.opcode is Opcode.TEXT and event.fin
    ]


def read(data: bytes) -> dict[str, Any]:
    (text,) = texts(data)
    value: dict[str, Any] = json.loads(text)
    return value


def test_a_message_is_an_envelope_of_the_wanted_size() -> None:
    data = frames.message("key-of-bob", "bench", 400).fill(make_token(7))
    (text,) = texts(data)
    assert len(text) == 400
    envelope = json.loads(text)
    assert envelope["msg_id"] == "@@00000000000000000007"
    assert envelope["payload"]["message_info"]["message_id"] == envelope["msg_id"]
    assert envelope["payload"]["message_dim"] == {"api_key": "key-of-bob", "platform": "bench"}


def test_a_size_too_small_gives_the_least_that_is_a_message() -> None:
    envelope = read(frames.message("bob", "bench", 1).fill(make_token(1)))
    assert envelope["payload"]["message_segment"] == {"type": "text", "data": ""}


@pytest.mark.parametrize("size", [100, 125, 126, 127, 65_535, 65_536, 200_000])
def test_every_length_of_a_frame_is_written_right(size: int) -> None:
    (text,) = texts(Template(b"x" * size).fill(b""))
    assert text == "x" * size


def test_an_ack_names_the_message_and_has_an_id_of_its_own() -> None:
    acked = read(frames.ack(b"ack-3-", len(b"msg_1")).fill(b"msg_1"))
    assert acked["type"] == "sys_ack"
    assert acked["meta"]["acked_msg_id"] == "msg_1"
    assert acked["msg_id"] == "ack-3-msg_1"


def test_a_template_is_filled_many_times() -> None:
    template = frames.message("bob", "bench", 300)
    ids = [read(template.fill(make_token(number)))["msg_id"] for number in (1, 2, 3)]
    assert len(set(ids)) == 3
