from __future__ import annotations

import math
from typing import Any

import pytest

from maim_protocol.message.model import APIMessageBase, MessageDim, Seg, encode_payload


def message(segment: Seg) -> APIMessageBase:
    return APIMessageBase(message_segment=segment, message_dim=MessageDim("k", "qq"))


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ({"a": {"b": [1, object()]}}, "a.b[1]: cannot be written as JSON"),
        ({"a": "\ud800"}, "a: cannot be written as JSON"),
        ({"a": {(1, 2): 3}}, "a: cannot be written as JSON"),
        ([1], "payload: expected an object, got list"),
        ("text", "payload: expected an object, got str"),
    ],
)
def test_what_json_cannot_hold_is_a_type_error_with_its_path(payload: Any, text: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode_payload(payload)
    assert str(caught.value).startswith(text)


def test_an_unserialisable_field_of_a_message_is_named() -> None:
    segment = Seg("seglist", [Seg("text", "x"), Seg("date", {"when": math.sin})])
    with pytest.raises(TypeError, match=r"message_segment\.data\[1\]\.data\.when"):
        encode_payload(message(segment))


def test_a_message_that_contains_itself_is_a_type_error() -> None:
    looped = Seg("seglist", [])
    looped.data.append(looped)
    with pytest.raises(TypeError, match="contains itself"):
        encode_payload(message(looped))
    payload: dict[str, Any] = {}
    payload["me"] = payload
    with pytest.raises(TypeError, match="contains itself"):
        encode_payload(payload)
