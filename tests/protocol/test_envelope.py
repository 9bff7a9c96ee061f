"""The codec against golden frames (tests/vectors), which any implementation can be held to."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.envelope import (
    decode_client_frame,
    decode_envelope,
    encode_ack,
    encode_client_ack,
    encode_envelope,
    encode_error,
    encode_notice,
)
from maim_protocol.errors import ErrorCode, FrameError

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[Any]:
    cases = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in cases]


def frame_of(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["frame_hex"]) if "frame_hex" in case else case["frame"].encode()


@pytest.mark.parametrize("case", vectors("client_frames"))
def test_a_good_frame_is_decoded_and_its_payload_untouched(case: dict[str, Any]) -> None:
    frame = decode_client_frame(frame_of(case))
    expected = case["expect"]
    assert frame.payload == expected.pop("payload").encode()
    target = expected.pop("target")
    assert (msgspec.to_builtins(frame.target) if frame.target else None) == target
    assert {name: getattr(frame, name) for name in expected} == expected


@pytest.mark.parametrize("case", vectors("client_frames"))
def test_a_text_frame_is_decoded_like_a_binary_one(case: dict[str, Any]) -> None:
    assert decode_client_frame(case["frame"]) == decode_client_frame(case["frame"].encode())


@pytest.mark.parametrize("case", vectors("bad_client_frames"))
def test_a_bad_frame_is_refused_with_its_code(case: dict[str, Any]) -> None:
    with pytest.raises(FrameError) as caught:
        decode_client_frame(frame_of(case))
    expected = case["error"]
    assert (caught.value.code, caught.value.msg_id) == (expected["code"], expected["msg_id"])
    assert expected["says"] in caught.value.text


@pytest.mark.parametrize("case", vectors("edge_frames"))
def test_a_frame_of_the_edge_is_decoded(case: dict[str, Any]) -> None:
    envelope = decode_envelope(case["frame"])
    found = {"type": envelope.type, "msg_id": envelope.msg_id, "meta": envelope.meta}
    assert {**found, "payload": bytes(envelope.payload).decode()} == case["expect"]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_that_is_nested_without_end_is_refused(opening: str) -> None:
    deep = opening * 100_000
    for wrapped in (f'{{"later":{deep}', f'{{"type":"custom_x","payload":{deep}'):
        with pytest.raises(FrameError) as caught:
            decode_client_frame(wrapped)
        assert caught.value.code is ErrorCode.BAD_JSON
        with pytest.raises(FrameError):
            decode_envelope(wrapped)


def test_a_text_that_is_no_unicode_is_refused() -> None:
    for decode in (decode_client_frame, decode_envelope):
        with pytest.raises(FrameError) as caught:
            decode('{"type":"custom_\ud800"}')
        assert caught.value.code is ErrorCode.BAD_JSON


def test_a_character_across_two_pieces_of_a_large_frame_is_whole() -> None:
    for shift in range(3):
        payload = b'{"a":"%b"}' % (b"x" * shift + "界".encode() * 400_000)
        frame = encode_envelope("custom_x", "1", {}, payload)
        assert decode_client_frame(frame).payload == payload


@given(st.binary())
def test_no_bytes_do_worse_than_a_frame_error(data: bytes) -> None:
    for decode in (decode_client_frame, decode_envelope):
        with contextlib.suppress(FrameError):
            decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON), st.booleans(), st.booleans())
def test_any_payload_passes_byte_for_byte(
    payload: dict[str, Any], escaped: bool, spaced: bool
) -> None:
    raw = json.dumps(payload, ensure_ascii=escaped, indent=1 if spaced else None).encode()
    frame = encode_envelope("custom_x", "id", {"a": "界"}, raw)
    assert decode_client_frame(frame).payload == raw
    envelope = decode_envelope(frame)
    assert (bytes(envelope.payload), envelope.meta) == (raw, {"a": "界"})


@given(JSON)
def test_any_json_is_decoded_or_refused(value: Any) -> None:
    for frame in (
        value,
        {"type": "custom_x", "payload": value},
        {"type": "sys_std", "payload": value},
    ):
        with contextlib.suppress(FrameError):
            decode_client_frame(json.dumps(frame))


def test_an_ack_says_what_was_taken_and_when() -> None:
    envelope = decode_envelope(encode_ack("conn", "id-1", 1.5))
    assert envelope.meta == {"uuid": "conn", "acked_msg_id": "id-1", "timestamp": 1.5}
    payload = msgspec.json.decode(envelope.payload)
    assert payload == {"status": "received", "server_timestamp": 1.5}


def test_the_ack_of_the_longest_id_has_an_id_of_allowed_length() -> None:
    assert len(decode_envelope(encode_ack("c", "x" * 128, 1.5)).msg_id or "") == 128


def test_a_clients_ack_is_understood_by_the_edge() -> None:
    frame = decode_client_frame(encode_client_ack("conn", "id-1", 1.5))
    assert (frame.type, frame.acked_msg_id) == ("sys_ack", "id-1")


def test_an_error_names_code_text_and_frame() -> None:
    envelope = decode_envelope(encode_error(ErrorCode.NO_ROUTE, "nobody", None, 1.5))
    payload = msgspec.json.decode(envelope.payload)
    assert payload == {"code": "no_route", "message": "nobody", "msg_id": None}


def test_a_notice_carries_its_payload() -> None:
    envelope = decode_envelope(encode_notice({"event": "drain", "retry_after_ms": 7}, 1.5))
    assert msgspec.json.decode(envelope.payload) == {"event": "drain", "retry_after_ms": 7}


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        (b'{"post_type": "meta_event", "self_id": 1}', ErrorCode.BAD_ENVELOPE, "OneBot"),
        (b'{"message_info": {}, "message_segment": {}}', ErrorCode.BAD_MESSAGE, "the receiver"),
        (b"[1, 2]", ErrorCode.BAD_ENVELOPE, "`array`"),
        (b"{}", ErrorCode.BAD_ENVELOPE, "type: expected a string, got nothing"),
    ],
)
def test_a_frame_that_is_none_of_ours_is_told_what_it_is(
    frame: bytes, code: ErrorCode, said: str
) -> None:
    with pytest.raises(FrameError, match=said) as refused:
        decode_client_frame(frame)
    assert refused.value.code is code
