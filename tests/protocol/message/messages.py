"""A full message as JSON and as objects, its variations, and any message at all."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from maim_protocol.message.model import (
    APIMessageBase,
    BaseMessageInfo,
    FormatInfo,
    GroupInfo,
    MessageDim,
    ReceiverInfo,
    Seg,
    SenderInfo,
    TemplateInfo,
    UserInfo,
)

FULL = {
    "message_info": {
        "platform": "wechat",
        "message_id": "msg_1",
        "time": 1.5,
        "format_info": {"content_format": ["text"], "accept_format": ["text", "emoji"]},
        "template_info": {
            "template_items": {"a": "b"},
            "template_name": {"n": "m"},
            "template_default": False,
        },
        "additional_config": {"anything": [1, None]},
        "sender_info": {
            "group_info": {"platform": "wechat", "group_id": "g", "group_name": "群"},
            "user_info": {
                "platform": "wechat",
                "user_id": "u",
                "user_nickname": "昵称",
                "user_cardname": "名片",
            },
        },
        "receiver_info": {"user_info": {"platform": "wechat", "user_id": "r"}},
    },
    "message_segment": {
        "type": "seglist",
        "data": [
            {"type": "text", "data": "你好"},
            {"type": "seglist", "data": [{"type": "image", "data": "aGk="}]},
        ],
    },
    "message_dim": {"api_key": "k", "platform": "wechat"},
}


def full() -> APIMessageBase:
    return APIMessageBase(
        BaseMessageInfo(
            "wechat",
            "msg_1",
            1.5,
            FormatInfo(["text"], ["text", "emoji"]),
            TemplateInfo({"a": "b"}, {"n": "m"}, False),
            {"anything": [1, None]},
            SenderInfo(GroupInfo("wechat", "g", "群"), UserInfo("wechat", "u", "昵称", "名片")),
            ReceiverInfo(user_info=UserInfo("wechat", "r")),
        ),
        Seg("seglist", [Seg("text", "你好"), Seg("seglist", [Seg("image", "aGk=")])]),
        MessageDim("k", "wechat"),
    )


def with_field(path: str, value: Any) -> dict[str, Any]:
    """Return the full message with one field changed, or removed for `...`."""
    message = copy.deepcopy(FULL)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    inner: Any = message
    for step in steps:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return message


TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
SEGMENTS = st.recursive(
    st.builds(Seg, st.just("text"), TEXT),
    lambda inner: st.builds(Seg, st.just("seglist"), st.lists(inner, max_size=3)),
    max_leaves=8,
)
PEOPLE = st.builds(
    SenderInfo,
    st.none() | st.builds(GroupInfo, TEXT, TEXT, st.none() | TEXT),
    st.none() | st.builds(UserInfo, TEXT, TEXT, st.none() | TEXT, st.none() | TEXT),
)
INFOS = st.builds(
    BaseMessageInfo,
    TEXT,
    TEXT,
    st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    sender_info=st.none() | PEOPLE,
)
MESSAGES = st.builds(APIMessageBase, INFOS, SEGMENTS, st.builds(MessageDim, TEXT, TEXT))
