"""The message model: dataclasses that mirror the JSON of a `sys_std` payload (docs/protocol.md).

Rule of the file: reading is strict about what a message must have and silent about what it may
have besides; writing never invents a field. Names, order and defaults are maim-message's.
"""

from __future__ import annotations

import math
import time as clock
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Optional, Union

import msgspec

from maim_protocol.message.payload import encode_object
from maim_protocol.message.record import Record, Seg, nest_segments
from maim_protocol.message.validation import (
    Shape,
    a_flag,
    a_number,
    a_string,
    an_id,
    an_object,
    an_object_or_string,
    strings,
)

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
    "encode_payload",
]

_OMITTED: Any = None

# msgspec reads the fields' types when the program runs: an id may be a number, and a number keeps
# its kind. For who writes a program they are what the guide says.
if TYPE_CHECKING:
    from typing import Self

    Id = str
    Number = float
else:
    Id = Union[str, int]
    Number = Union[int, float]


@dataclass
class GroupInfo(Record):
    """A group on a platform."""

    _shape: ClassVar[Shape] = Shape(
        {"platform": a_string, "group_id": an_id}, {"group_name": a_string}
    )

    platform: str
    group_id: Id
    group_name: Optional[str] = None


@dataclass
class UserInfo(Record):
    """A user on a platform; the guide also writes one without its platform."""

    _shape: ClassVar[Shape] = Shape(
        {"platform": a_string, "user_id": an_id},
        {"user_nickname": a_string, "user_cardname": a_string},
    )

    platform: str = ""
    user_id: Id = _OMITTED
    user_nickname: Optional[str] = None
    user_cardname: Optional[str] = None

    def __post_init__(self) -> None:
        _must_have(self, "user_id")


@dataclass
class InfoBase(Record):
    """Who, and in which group."""

    _shape: ClassVar[Shape] = Shape(
        optional={"group_info": GroupInfo.read, "user_info": UserInfo.read}
    )

    group_info: Optional[GroupInfo] = None
    user_info: Optional[UserInfo] = None


@dataclass
class SenderInfo(InfoBase):
    """Who wrote the message."""


@dataclass
class ReceiverInfo(InfoBase):
    """For whom the message is."""


@dataclass
class FormatInfo(Record):
    """Which kinds of segments a message has and which its sender can read."""

    _shape: ClassVar[Shape] = Shape(optional={"content_format": strings, "accept_format": strings})

    content_format: Optional[list[str]] = None
    accept_format: Optional[list[str]] = None


@dataclass
class TemplateInfo(Record):
    """Prompt templates that come with a message."""

    _shape: ClassVar[Shape] = Shape(
        optional={
            "template_items": an_object,
            "template_name": an_object_or_string,
            "template_default": a_flag,
        }
    )

    template_items: Optional[dict[str, str]] = None
    template_name: Union[dict[str, str], str, None] = None
    template_default: bool = True


@dataclass
class MessageDim(Record):
    """The receiver, never the sender: whose key, and on which platform."""

    _shape: ClassVar[Shape] = Shape({"api_key": a_string, "platform": a_string})

    api_key: str
    platform: str


@dataclass
class BaseMessageInfo(Record):
    """What a message says about itself; `time` in Unix seconds."""

    _shape: ClassVar[Shape] = Shape(
        {"platform": a_string, "message_id": an_id, "time": a_number},
        {
            "format_info": FormatInfo.read,
            "template_info": TemplateInfo.read,
            "additional_config": an_object,
            "sender_info": SenderInfo.read,
            "receiver_info": ReceiverInfo.read,
        },
    )

    platform: str
    message_id: Id
    time: Number
    format_info: Optional[FormatInfo] = None
    template_info: Optional[TemplateInfo] = None
    additional_config: Optional[dict[str, Any]] = None
    sender_info: Optional[SenderInfo] = None
    receiver_info: Optional[ReceiverInfo] = None


class _Parts(msgspec.Struct):
    """A message as msgspec reads it in one pass; unlike `APIMessageBase` it must have each part."""

    message_info: BaseMessageInfo
    message_segment: Seg
    message_dim: MessageDim


@dataclass
class APIMessageBase(Record):
    """A message: about itself, its content, its receiver.

    `message_dim` alone makes an empty text message of the receiver's platform with a fresh id
    and the present time; `from_dict` has no such leniency.
    """

    _shape: ClassVar[Shape] = Shape(
        {
            "message_info": BaseMessageInfo.read,
            "message_segment": Seg.read,
            "message_dim": MessageDim.read,
        }
    )

    message_info: BaseMessageInfo = _OMITTED
    message_segment: Seg = _OMITTED
    message_dim: MessageDim = _OMITTED

    def __post_init__(self) -> None:
        _must_have(self, "message_dim")
        if self.message_info is _OMITTED:
            platform = self.message_dim.platform
            self.message_info = BaseMessageInfo(platform, uuid.uuid4().hex, clock.time())
        if self.message_segment is _OMITTED:
            self.message_segment = Seg("text", "")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build a message as `Record.from_dict` does, in one pass where nothing is wrong."""
        try:
            return cls._of(msgspec.convert(data, _Parts))
        except msgspec.ValidationError:
            return cls.read(data, "")

    @classmethod
    def _of(cls, parts: _Parts) -> Self:
        _refuse_unnamed_platform(parts.message_info.sender_info)
        _refuse_unnamed_platform(parts.message_info.receiver_info)
        nest_segments(parts.message_segment)
        return cls(parts.message_info, parts.message_segment, parts.message_dim)

    def get_api_key(self) -> str:
        """Return the receiver's key."""
        return self.message_dim.api_key

    def get_platform(self) -> str:
        """Return the receiver's platform."""
        return self.message_dim.platform

    def get_message_platform(self) -> str:
        """Return the platform that the message is from."""
        return self.message_info.platform

    def get_message_id(self) -> str:
        """Return the id that the message's author gave it."""
        return self.message_info.message_id

    def get_message_time(self) -> float:
        """Return when the message was written, in Unix seconds."""
        return self.message_info.time

    def set_message_dim(self, api_key: str, platform: str) -> None:
        """Name another receiver."""
        self.message_dim.api_key = api_key
        self.message_dim.platform = platform

    def has_sender_info(self) -> bool:
        """Tell whether the message says who wrote it."""
        return self.message_info.sender_info is not None

    def has_receiver_info(self) -> bool:
        """Tell whether the message says for whom it is."""
        return self.message_info.receiver_info is not None


def encode_payload(payload: APIMessageBase | Mapping[str, Any]) -> bytes:
    """Serialise a message or a custom payload to the bytes of a JSON object.

    Raises `TypeError` naming the field that JSON cannot hold by its path.
    """
    if not isinstance(payload, APIMessageBase):
        return encode_object(payload)
    time: object = payload.message_info.time
    if isinstance(time, float) and not math.isfinite(time):
        raise TypeError(f"message_info.time: cannot be written as JSON: it has no number {time}")
    try:
        return encode_object(payload.to_dict())
    except RecursionError:
        raise TypeError("message_segment: nested too deeply or contains itself") from None


def _refuse_unnamed_platform(people: InfoBase | None) -> None:
    """A user may be made without a platform but not read: here it may be the default."""
    if people is not None and people.user_info is not None and not people.user_info.platform:
        raise msgspec.ValidationError("user_info.platform")


_parts = msgspec.json.Decoder(_Parts)


def decode_payload(payload: bytes | memoryview) -> APIMessageBase:
    """Read a message from the bytes of its JSON; raises as `APIMessageBase.from_dict`."""
    try:
        return APIMessageBase._of(_parts.decode(payload))
    except msgspec.ValidationError:
        return APIMessageBase.from_dict(msgspec.json.decode(payload))


def _must_have(record: object, name: str) -> None:
    if getattr(record, name) is _OMITTED:
        raise TypeError(f"{type(record).__name__}() needs the argument {name!r}")
