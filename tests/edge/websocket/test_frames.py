"""Frames as bytes, against websockets' own, and messages that come in fragments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode

from maim_edge.websocket.fragments import PartialMessage, Violation
from maim_edge.websocket.frames import close_frame, close_payload, frame, head, is_utf8


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 255, 256, 65535, 65536, 70_000])
def test_frames_are_those_of_another_implementation(size: int) -> None:
    for opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
        data = b"x" * size
        assert frame(opcode, data) == Frame(opcode, data).serialize(mask=False)
        whole = Frame(opcode, data, fin=False).serialize(mask=False)
        assert head(opcode, size, final=False) + data == whole


def test_close_frames_say_what_they_are_told() -> None:
    for code, reason in ((1000, ""), (4409, "replacé")):
        payload = Close(code, reason).serialize()
        assert close_frame(code, reason) == frame(Opcode.CLOSE, payload)
        assert close_payload(payload) == (code, reason)
    assert close_frame(1005, "") == b"\x88\x00"
    assert close_payload(b"") == (1005, "")


def test_a_reason_that_is_too_long_is_cut_between_characters() -> None:
    payload = close_frame(4400, "é" * 100)[2:]
    assert len(payload) <= 125
    assert close_payload(payload) == (4400, "é" * 61)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535])
def test_codes_that_may_not_be_sent_are_none(code: int) -> None:
    assert close_payload(code.to_bytes(2)) is None
    assert close_payload(b"\x03") is None


@given(st.binary())
def test_utf8_is_what_python_decodes(data: bytes) -> None:
    assert is_utf8(data) == (data.decode(errors="replace").encode() == data)


@given(st.text(), st.lists(st.integers(0, 40)))
def test_a_text_is_whole_however_it_was_cut(text: str, cuts: list[int]) -> None:
    data, partial, start = text.encode(), PartialMessage(True, 1 << 20, 1 << 20), 0
    for cut in cuts:
        partial.add(memoryview(data)[start : start + cut], last=False)
        start += cut
    partial.add(data[start:], last=True)
    assert bytes(partial.data) == data


def test_a_text_is_judged_with_the_fragment_that_makes_it_wrong() -> None:
    partial = PartialMessage(True, 100, 100)
    partial.add(b"\xe4\xbd", last=False)
    with pytest.raises(Violation) as caught:
        partial.add(b"x", last=False)
    assert caught.value.code == 1007


def test_a_text_must_not_end_within_a_character() -> None:
    with pytest.raises(Violation):
        PartialMessage(True, 100, 100).add(b"\xe4", last=True)
    PartialMessage(False, 100, 100).add(b"\xe4", last=True)


def test_a_message_over_the_limit_is_1009_and_one_of_the_limit_is_not() -> None:
    partial = PartialMessage(False, 10, 100)
    partial.add(b"x" * 10, last=False)
    partial.add(b"", last=False)
    with pytest.raises(Violation) as caught:
        partial.add(b"x", last=True)
    assert (caught.value.code, "10" in caught.value.reason) == (1009, True)


def test_a_text_over_the_bound_of_checking_is_not_checked() -> None:
    partial = PartialMessage(True, 100, 10)
    partial.add(b"x" * 10, last=False)
    partial.add(b"\xff", last=False)
    partial.add(b"\xff", last=True)
