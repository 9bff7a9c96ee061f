from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_protocol.envelope import decode_client_frame
from maim_protocol.message.model import (
    APIMessageBase,
    BaseMessageInfo,
    FormatInfo,
    InfoBase,
    MessageDim,
    Seg,
    TemplateInfo,
    UserInfo,
    encode_payload,
)
from tests.protocol.message.messages import FULL, MESSAGES, TEXT, full, with_field


def test_a_message_is_written_in_the_order_and_shape_of_the_wire() -> None:
    assert str(full().to_dict()) == str(FULL)


def test_a_message_is_read_whole() -> None:
    assert APIMessageBase.from_dict(FULL) == full()


def test_fields_that_are_none_are_left_out() -> None:
    info = BaseMessageInfo("qq", "m", 1)
    assert info.to_dict() == {"platform": "qq", "message_id": "m", "time": 1}
    assert InfoBase().to_dict() == {}
    assert FormatInfo().to_dict() == {}
    assert TemplateInfo().to_dict() == {"template_default": True}
    assert Seg("poke", None).to_dict() == {"type": "poke", "data": None}


def test_null_is_the_same_as_a_missing_optional_field() -> None:
    message = APIMessageBase.from_dict(with_field("message_info/sender_info", None))
    assert not message.has_sender_info()
    assert message.has_receiver_info()


def test_unknown_fields_are_ignored() -> None:
    assert APIMessageBase.from_dict(with_field("message_info/later", 1)) == full()
    assert APIMessageBase.from_dict({**FULL, "later": 1}) == full()


def test_numbers_stay_as_they_came() -> None:
    message = APIMessageBase.from_dict(with_field("message_info/time", 2**70))
    assert message.get_message_time() == 2**70
    assert isinstance(message.get_message_time(), int)


@pytest.mark.parametrize(
    "path", ["message_info/message_id", "message_info/sender_info/user_info/user_id"]
)
def test_platforms_may_number_their_ids(path: str) -> None:
    changed = with_field(path, 123456)
    assert APIMessageBase.from_dict(changed).to_dict() == changed


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("message_info", ..., "message_info: expected an object, got nothing"),
        ("message_info", [], "message_info: expected an object, got list"),
        ("message_segment", None, "message_segment: expected an object, got nothing"),
        ("message_dim", ..., "message_dim: expected an object, got nothing"),
        ("message_info/platform", ..., "message_info.platform: expected a string, got nothing"),
        ("message_info/message_id", None, "message_info.message_id: expected a string or a whole"),
        ("message_info/time", "now", "message_info.time: expected a number, got str"),
        ("message_info/time", True, "message_info.time: expected a number, got bool"),
        ("message_info/additional_config", 5, "message_info.additional_config: expected an obj"),
        (
            "message_info/sender_info/user_info/user_id",
            ...,
            "message_info.sender_info.user_info.user_id: expected a string",
        ),
        (
            "message_info/sender_info/group_info/group_name",
            5,
            "message_info.sender_info.group_info.group_name: expected a string, got int",
        ),
        (
            "message_info/format_info/accept_format/1",
            5,
            "message_info.format_info.accept_format[1]: expected a string, got int",
        ),
        (
            "message_info/format_info/accept_format",
            "text",
            "message_info.format_info.accept_format: expected a list, got str",
        ),
        (
            "message_info/template_info/template_default",
            "yes",
            "message_info.template_info.template_default: expected true or false, got str",
        ),
        ("message_segment/type", ..., "message_segment.type: expected a string, got nothing"),
        ("message_segment/data", ..., "message_segment.data: expected the segment's content"),
        ("message_segment/data", "x", "message_segment.data: expected a list, got str"),
        ("message_segment/data/0", "x", "message_segment.data[0]: expected an object, got str"),
        (
            "message_segment/data/1/data/0/type",
            5,
            "message_segment.data[1].data[0].type: expected a string, got int",
        ),
        ("message_dim/api_key", ..., "message_dim.api_key: expected a string, got nothing"),
        ("message_dim/platform", 5, "message_dim.platform: expected a string, got int"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(path: str, value: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        APIMessageBase.from_dict(with_field(path, value))
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_what_is_no_object_is_refused(value: Any) -> None:
    for cls in (APIMessageBase, Seg, MessageDim, UserInfo):
        with pytest.raises(ValueError, match="expected an object, got"):
            cls.from_dict(value)


def test_segments_that_are_nested_without_end_are_refused() -> None:
    segment: dict[str, Any] = {"type": "text", "data": "x"}
    for _ in range(5000):
        segment = {"type": "seglist", "data": [segment]}
    with pytest.raises(ValueError, match="nested deeper than 100"):
        Seg.from_dict(segment)


def test_the_receiver_alone_makes_an_empty_message_with_an_id_of_its_own() -> None:
    one, other = (APIMessageBase(message_dim=MessageDim("k", "qq")) for _ in range(2))
    assert one.message_segment == Seg("text", "")
    assert one.get_message_platform() == "qq"
    assert one.get_message_id() != other.get_message_id()
    assert decode_client_frame(encode_payload(one)).bare


def test_a_message_without_a_receiver_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="message_dim"):
        APIMessageBase(BaseMessageInfo("qq", "m", 1), Seg("text", "x"))


def test_a_user_needs_an_id_but_may_lack_a_platform() -> None:
    assert UserInfo(user_id="u").to_dict() == {"platform": "", "user_id": "u"}
    with pytest.raises(TypeError, match="user_id"):
        UserInfo("qq")


def test_the_short_ways_to_what_is_asked_for_most() -> None:
    message = full()
    assert (message.get_api_key(), message.get_platform()) == ("k", "wechat")
    assert (message.get_message_platform(), message.get_message_id()) == ("wechat", "msg_1")
    message.set_message_dim("other", "qq")
    assert message.message_dim == MessageDim("other", "qq")


@given(MESSAGES)
def test_what_is_written_is_read_again(message: APIMessageBase) -> None:
    assert APIMessageBase.from_dict(message.to_dict()) == message


@given(
    st.recursive(st.none() | st.integers() | TEXT, lambda i: st.lists(i) | st.dictionaries(TEXT, i))
)
def test_nothing_that_is_read_does_worse_than_a_value_error(value: Any) -> None:
    for data in (value, {**FULL, "message_segment": value}, {**FULL, "message_info": value}):
        with contextlib.suppress(ValueError):
            APIMessageBase.from_dict(data)
