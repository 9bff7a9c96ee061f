"""The message classes of a `sys_std` payload, read from JSON and written to it.

For SDK, edge and router; pure, and imports nothing but msgspec.
"""

from maim_protocol.message.model import (
    APIMessageBase,
    BaseMessageInfo,
    FormatInfo,
    GroupInfo,
    InfoBase,
    MessageDim,
    ReceiverInfo,
    Seg,
    SenderInfo,
    TemplateInfo,
    UserInfo,
    decode_payload,
    encode_payload,
)
from maim_protocol.message.payload import encode_object

__all__ = [
    "APIMessageBase",
    "BaseMessageInfo",
    "FormatInfo",
    "GroupInfo",
    "InfoBase",
    "MessageDim",
    "ReceiverInfo",
    "Seg",
    "SenderInfo",
    "TemplateInfo",
    "UserInfo",
    "decode_payload",
    "encode_object",
    "encode_payload",
]
