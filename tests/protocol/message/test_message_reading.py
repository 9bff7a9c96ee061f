"""A message is read in one pass where that gives what reading field by field gives."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maim_protocol.message.model import (
    APIMessageBase,
    BaseMessageInfo,
    MessageDim,
    Seg,
    decode_payload,
    encode_payload,
)
from maim_protocol.message.record import DEEPEST_SEGMENT
from tests.protocol.message.messages import FULL, MESSAGES, TEXT, full, with_field

USER = "message_info/sender_info/user_info"
PATHS = st.sampled_from(
    [
        "message_info",
        "message_info/platform",
        "message_info/message_id",
        "message_info/time",
        "message_info/format_info/accept_format",
        "message_info/template_info/template_items",
        "message_info/template_info/template_name",
        "message_info/template_info/template_default",
        "message_info/additional_config",
        "message_info/sender_info",
        "message_info/sender_info/group_info",
        USER,
        f"{USER}/platform",
        f"{USER}/user_id",
        f"{USER}/user_cardname",
        "message_segment",
        "message_segment/type",
        "message_segment/data",
        "message_segment/data/0",
        "message_segment/data/1/data",
        "message_segment/data/1/data/0/type",
        "message_dim",
        "message_dim/api_key",
    ]
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.just(...) | st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT | st.just("platform"), inner),
    max_leaves=4,
)


def outcome(read: Callable[[Any], APIMessageBase], value: Any) -> APIMessageBase | str:
    try:
        return read(value)
    except ValueError as error:
        return str(error)


def field_by_field(value: Any) -> APIMessageBase:
    return APIMessageBase.read(value, "")


def nested(depth: int) -> dict[str, Any]:
    segment: dict[str, Any] = {"type": "text", "data": "x"}
    for _ in range(depth):
        segment = {"type": "seglist", "data": [segment]}
    return {**FULL, "message_segment": segment}


@given(PATHS, VALUES)
@example(f"{USER}/platform", ...)
@example(f"{USER}/platform", "")
@example("message_info/time", 2**70)
@example("message_info/message_id", True)
@example("message_info/template_info/template_default", None)
@example("message_info/template_info/template_items", {"a": 1})
@example("message_segment/type", "text")
@example("message_segment/data", [])
def test_both_ways_of_reading_agree(path: str, value: Any) -> None:
    changed = with_field(path, value)
    expected = outcome(field_by_field, changed)
    assert outcome(APIMessageBase.from_dict, changed) == expected
    assert outcome(decode_payload, msgspec.json.encode(changed)) == expected


@pytest.mark.parametrize("time", [float("inf"), float("-inf"), float("nan")])
def test_a_time_that_json_has_no_number_for_is_named(time: float) -> None:
    message = APIMessageBase(
        BaseMessageInfo("qq", "m", time), Seg("text", ""), MessageDim("bob", "qq")
    )
    with pytest.raises(TypeError, match=r"message_info\.time: cannot be written as JSON"):
        encode_payload(message)


@given(MESSAGES)
def test_what_is_written_as_bytes_is_read_again(message: APIMessageBase) -> None:
    assert decode_payload(encode_payload(message)) == message


@pytest.mark.parametrize("depth", [DEEPEST_SEGMENT, DEEPEST_SEGMENT + 1])
def test_both_ways_agree_how_deep_segments_may_be(depth: int) -> None:
    expected = outcome(field_by_field, nested(depth))
    assert isinstance(expected, str) is (depth > DEEPEST_SEGMENT)
    assert outcome(APIMessageBase.from_dict, nested(depth)) == expected
    assert outcome(decode_payload, msgspec.json.encode(nested(depth))) == expected


def test_what_only_python_has_is_read_as_it_always_was() -> None:
    assert APIMessageBase.from_dict(MappingProxyType(FULL)) == full()
    assert APIMessageBase.from_dict(OrderedDict(FULL)) == full()
    assert APIMessageBase.from_dict({**FULL, 5: "unknown"}) == full()
    tuples = with_field("message_segment/data", ({"type": "text", "data": "x"},))
    assert APIMessageBase.from_dict(tuples).message_segment.data == [Seg("text", "x")]
    odd = with_field("message_segment/data/0/data", math.sin)
    assert APIMessageBase.from_dict(odd).message_segment.data[0].data is math.sin


def test_bytes_that_are_no_json_are_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_payload(b'{"message_info"')
