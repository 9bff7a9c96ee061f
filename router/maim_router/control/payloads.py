"""Payloads of control requests: typed messages to JSON, JSON checked and left untouched; pure.

The rules are those of a client's frame (docs/protocol.md, "Frames"), but that the request may
name the receiver in the place of `message_dim`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import Message as ProtoMessage

from maim_protocol.envelope import CUSTOM_PREFIX, TYPE_MAX_CHARS
from maim_protocol.v1 import delivery_pb2
from maim_router.control.errors import bad_field
from maim_router.hooks import custom_type

# Beyond it a double no longer tells neighbouring integers apart.
LARGEST_INTEGER = 2**53
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TYPES = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`")


class _Info(msgspec.Struct):
    platform: str
    message_id: str | int
    time: float | str


class _Segment(msgspec.Struct):
    type: str
    data: Any


class _Dim(msgspec.Struct):
    api_key: str
    platform: str


class _Standard(msgspec.Struct):
    message_info: _Info
    message_segment: _Segment
    message_dim: _Dim


@dataclass(frozen=True, slots=True, repr=False)
class Standard:
    """A payload with the receiver that it names; holds a credential, so it has no repr."""

    payload: bytes
    field: str
    api_key: str
    platform: str


def standard_payload(
    message: delivery_pb2.Message | None, message_json: bytes, *, user: str = "", platform: str = ""
) -> Standard:
    """Take the one of the two that is there; raises `CallError`.

    `message_dim` may have empty parts; whether that is enough is for the caller to say. In a
    typed message `user` and `platform` fill them, for receivers read what stands there.
    """
    if (message is None) == (not message_json):
        got = "none of them" if message is None else "both"
        raise bad_field("message", "one of message and message_json", got)
    if message is None:
        checked = _check(_decode(message_json, "message_json"), "message_json")
        return _standard(message_json, "message_json", checked)
    document = _plain(_document(message, "message"))
    dim = message.message_dim
    filled = {"api_key": dim.api_key or user, "platform": dim.platform or platform}
    document["message_dim"] = filled
    checked = _check(document, "message")
    return _standard(msgspec.json.encode(document), "message", checked)


def custom_payload(payload: ProtoMessage | None, payload_json: bytes) -> bytes:
    """Take the one of the two that is there; raises `CallError`."""
    if (payload is None) == (not payload_json):
        got = "none of them" if payload is None else "both"
        raise bad_field("payload", "one of payload and payload_json", got)
    if payload is None:
        _decode(payload_json, "payload_json")
        return payload_json
    return msgspec.json.encode(_plain(_document(payload, "payload")))


def checked_type(name: str) -> str:
    """Return the whole type of a custom message; raises `CallError`."""
    whole = custom_type(name)
    if not name or whole == CUSTOM_PREFIX:
        raise bad_field("type", "the name of a custom message type")
    if len(whole) > TYPE_MAX_CHARS:
        expected = f"at most {TYPE_MAX_CHARS} characters with {CUSTOM_PREFIX}"
        raise bad_field("type", expected, str(len(whole)))
    return whole


def _standard(payload: bytes, field: str, checked: _Standard) -> Standard:
    return Standard(payload, field, checked.message_dim.api_key, checked.message_dim.platform)


def _document(message: ProtoMessage, field: str) -> dict[str, Any]:
    try:
        return json_format.MessageToDict(message, preserving_proto_field_name=True)
    except (json_format.SerializeToJsonError, ValueError):
        raise bad_field(field, "numbers that JSON knows", "NaN or an infinity") from None


def _plain(value: Any) -> Any:
    """Write whole numbers as such: a Struct holds every number as a double."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_INTEGER:
        return int(value)
    return value


def _decode(data: bytes, field: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_field(field, "one JSON object in UTF-8", str(error)) from None
    except RecursionError:
        raise bad_field(field, "one JSON object in UTF-8", "JSON nested too deeply") from None
    if not isinstance(document, dict):
        raise bad_field(field, "one JSON object", type(document).__name__)
    return document


def _check(document: dict[str, Any], field: str) -> _Standard:
    try:
        checked = msgspec.convert(document, _Standard)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), field) from None
    info, segment = checked.message_info, checked.message_segment
    texts = {"message_info.platform": info.platform, "message_segment.type": segment.type}
    for path, text in texts.items():
        if not text:
            raise bad_field(f"{field}.{path}", "a text that is not empty", "an empty one")
    if field == "message" and isinstance(info.time, str):
        raise bad_field("message.message_info.time", "Unix seconds", info.time)
    return checked


def _invalid(text: str, field: str) -> Exception:
    """Turn msgspec's text into a field, what was expected and what came."""
    at = _PATH.search(text)
    path = [field, *([at[1]] if at and at[1] else [])]
    missing = _MISSING.search(text)
    if missing:
        return bad_field(".".join([*path, missing[1]]), "a value")
    types = _TYPES.search(text)
    expected, got = (types[1], types[2]) if types else ("a value of its type", "another")
    return bad_field(".".join(path), expected, got)
