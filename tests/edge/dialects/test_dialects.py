"""What the dialects have words for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_edge.dialects import BARE, ENVELOPE, Delivery, Dialect
from maim_protocol.errors import ErrorCode, FrameError

PAYLOAD = b'{"b": 1e400, "a" :"\\u4f60", "a": 340282366920938463463374607431768211456}'
DELIVERY = Delivery("m1", "custom_x", "alice", "qq", "bob", "wx", 1.5, [PAYLOAD])
STANDARD = (
    b'{"message_info":{"platform":"qq","message_id":"x1","time":1.0},'
    b'"message_segment":{"type":"text","data":"hi"},'
    b'"message_dim":{"api_key":"bob","platform":"qq"}}'
)


def test_an_envelope_holds_the_meta_of_the_router_and_untouched_bytes() -> None:
    (data,) = ENVELOPE.deliver(DELIVERY)
    assert data.endswith(b'"payload":' + PAYLOAD + b"}")
    frame = json.loads(data)
    assert (frame["ver"], frame["msg_id"], frame["type"]) == (1, "m1", "custom_x")
    assert frame["meta"] == {
        "sender_user": "alice",
        "sender_platform": "qq",
        "target_user": "bob",
        "platform": "wx",
        "timestamp": 1.5,
    }


def test_bare_is_the_payload_alone() -> None:
    assert BARE.deliver(DELIVERY) == [PAYLOAD]


def test_a_large_payload_is_not_copied() -> None:
    pieces = [b'{"x":"', b"y" * 1000, b'"}']
    large = Delivery("m1", "custom_x", "alice", "qq", "bob", "wx", 1.5, pieces)
    assert BARE.deliver(large) is pieces
    written = ENVELOPE.deliver(large)
    assert written[2] is pieces[1]
    assert json.loads(b"".join(written))["payload"] == {"x": "y" * 1000}


def test_bare_has_no_words_for_anything_else() -> None:
    assert BARE.ack("u", "m1", 1.0) is None
    assert BARE.error(ErrorCode.BAD_JSON, "text", None, 1.0) is None
    assert BARE.notice({"event": "drain"}, 1.0) is None


def test_acks_errors_and_notices_are_envelopes() -> None:
    ack = json.loads(ENVELOPE.ack("u", "m1", 2.0) or b"")
    assert ack["type"] == "sys_ack"
    assert ack["meta"] == {"uuid": "u", "acked_msg_id": "m1", "timestamp": 2.0}
    assert ack["payload"] == {"status": "received", "server_timestamp": 2.0}
    error = json.loads(ENVELOPE.error(ErrorCode.BAD_JSON, "why", "m2", 2.0) or b"")
    assert error["type"] == "sys_error"
    assert error["payload"] == {"code": "bad_json", "message": "why", "msg_id": "m2"}
    notice = json.loads(ENVELOPE.notice({"event": "drain", "retry_after_ms": 5}, 2.0) or b"")
    assert notice["type"] == "sys_notice"
    assert notice["payload"] == {"event": "drain", "retry_after_ms": 5}


@pytest.mark.parametrize("dialect", [BARE, ENVELOPE])
def test_both_read_both(dialect: Dialect) -> None:
    bare = dialect.decode(STANDARD)
    assert (bare.bare, bare.msg_id, bare.payload) == (True, "x1", STANDARD)
    wrapped = dialect.decode(b'{"type":"sys_std","msg_id":"m","payload":%b}' % STANDARD)
    assert (wrapped.bare, wrapped.msg_id, wrapped.payload) == (False, "m", STANDARD)


@pytest.mark.parametrize("dialect", [BARE, ENVELOPE])
def test_what_cannot_be_read_is_a_frame_error(dialect: Dialect) -> None:
    with pytest.raises(FrameError):
        dialect.decode(b"[")


@given(st.text(min_size=1, max_size=128), st.text(max_size=50), st.text(max_size=50))
def test_any_names_make_a_readable_envelope(msg_id: str, sender: str, target: str) -> None:
    delivery = Delivery(msg_id, "sys_std", sender, "qq", target, "qq", 0.0, [b"{}"])
    frame = json.loads(b"".join(ENVELOPE.deliver(delivery)))
    assert frame["msg_id"] == msg_id
    assert (frame["meta"]["sender_user"], frame["meta"]["target_user"]) == (sender, target)
