"""The JSON envelope: pure encode and decode, payload bytes pass through untouched."""

from __future__ import annotations

import codecs
import uuid
from typing import Any, Optional, Union

import msgspec

from maim_protocol.errors import ErrorCode, FrameError

SYS_STD = "sys_std"
# Whom messages of the router's application come from; no user may be called that.
SERVER = "server"
SYS_ACK = "sys_ack"
SYS_ERROR = "sys_error"
SYS_NOTICE = "sys_notice"
CUSTOM_PREFIX = "custom_"
MSG_ID_MAX_CHARS = 128
TYPE_MAX_CHARS = 128
_UTF8_PIECE_BYTES = 1 << 20
ONEBOT = (
    "this is a OneBot event (post_type, self_id), which this server does not speak: connect the "
    "OneBot implementation to an adapter that speaks OneBot there and this protocol here"
)
# Payloads over this size are not copied out of their frame.
_VIEW_BYTES = 1024 * 1024

_encode = msgspec.json.Encoder().encode
# Most frames that an edge writes are these, so they are put together rather than encoded.
_ACK = (
    b'{"ver":1,"msg_id":%b,"type":"sys_ack","meta":{"uuid":%b,"acked_msg_id":%b,"timestamp":%b},'
    b'"payload":{"status":"received","server_timestamp":%b}}'
)


class Target(msgspec.Struct, frozen=True):
    """The receiver that `message_dim` names; both parts are non-empty."""

    api_key: str
    platform: str


class ClientFrame(msgspec.Struct, frozen=True):
    """One frame of a client, decoded as far as routing needs it.

    `type` is `sys_std`, `sys_ack` or `custom_*`; `payload` the untouched bytes of the payload
    object, of a large one a view of the frame; `acked_msg_id` is set for `sys_ack` only; `bare`
    tells that there was no envelope.
    """

    type: str
    msg_id: Optional[str] = None
    target: Optional[Target] = None
    payload: Union[bytes, memoryview] = b""
    acked_msg_id: Optional[str] = None
    bare: bool = False


class Envelope(msgspec.Struct):
    """A whole envelope as the SDK reads it; `payload` stays bytes until somebody looks."""

    type: str
    msg_id: Optional[str] = None
    meta: dict[str, Any] = {}
    payload: msgspec.Raw = msgspec.Raw(b"null")
    ver: int = 1


class Meta(msgspec.Struct, frozen=True):
    """The `meta` of a delivery; `timestamp` in Unix seconds."""

    sender_user: str
    sender_platform: str
    target_user: str
    platform: str
    timestamp: float


class _Head(msgspec.Struct):
    ver: Union[int, msgspec.UnsetType] = msgspec.UNSET
    msg_id: Optional[str] = None
    type: Union[str, msgspec.UnsetType] = msgspec.UNSET
    payload: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    meta: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    message_info: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    message_segment: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    message_dim: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    # Of OneBot, whose implementations are pointed here by mistake.
    post_type: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET
    self_id: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET


class _Info(msgspec.Struct):
    platform: str
    message_id: Union[str, int]
    time: float


class _Segment(msgspec.Struct):
    type: str
    data: msgspec.Raw


class _Standard(msgspec.Struct):
    message_info: _Info
    message_segment: _Segment
    message_dim: Target


class _MaybeTargeted(msgspec.Struct):
    message_dim: Union[msgspec.Raw, msgspec.UnsetType] = msgspec.UNSET


class _AckMeta(msgspec.Struct):
    acked_msg_id: str


_VERSIONS = (msgspec.UNSET, 1)
_BRACE = ord("{")
_head = msgspec.json.Decoder(_Head)
_standard = msgspec.json.Decoder(_Standard)
_maybe_targeted = msgspec.json.Decoder(_MaybeTargeted)
_target = msgspec.json.Decoder(Target)
_ack_meta = msgspec.json.Decoder(_AckMeta)
_envelope = msgspec.json.Decoder(Envelope)


def decode_client_frame(data: bytes | str, *, known_utf8: bool = False) -> ClientFrame:
    """Decode and check one frame of a client (protocol.md, "Frames").

    `known_utf8` says that the bytes have been checked: of a large frame that takes longest.
    Raises `FrameError` with the code and text of the `sys_error` to answer with.
    """
    head = _decode_head(data, known_utf8)
    kind, msg_id = head.type, head.msg_id
    if kind is msgspec.UNSET and _is_bare(head):
        return _decode_bare(data)
    if msg_id is not None and not 1 <= len(msg_id) <= MSG_ID_MAX_CHARS:
        raise _bad_msg_id(msg_id)
    if kind == SYS_STD and head.ver in _VERSIONS:
        payload = _checked_payload(head, msg_id)
        target = _decode_standard(payload, msg_id).message_dim
        return ClientFrame(SYS_STD, msg_id, target, payload)
    kind = _checked_type(head, msg_id)
    if kind == SYS_ACK:
        return ClientFrame(kind, msg_id, acked_msg_id=_acked_msg_id(head, msg_id))
    payload = _checked_payload(head, msg_id)
    return ClientFrame(kind, msg_id, _custom_target(payload), payload)


def _decode_bare(data: bytes | str) -> ClientFrame:
    raw = data.encode() if isinstance(data, str) else bytes(data)
    message = _decode_standard(raw, None)
    msg_id = str(message.message_info.message_id)
    if not 1 <= len(msg_id) <= MSG_ID_MAX_CHARS:
        raise _bad_msg_id(msg_id)
    return ClientFrame(SYS_STD, msg_id, message.message_dim, raw, bare=True)


def _decode_head(data: bytes | str, known_utf8: bool) -> _Head:
    try:
        if not known_utf8:
            _check_utf8(data)
        return _head.decode(data)
    except msgspec.ValidationError as error:
        raise FrameError(ErrorCode.BAD_ENVELOPE, f"expected an envelope object: {error}") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        text = f"expected one JSON object in UTF-8: {error}"
        raise FrameError(ErrorCode.BAD_JSON, text) from None
    except RecursionError:
        raise FrameError(ErrorCode.BAD_JSON, "the JSON is nested too deeply") from None


def _check_utf8(data: bytes | str) -> None:
    """Raise `UnicodeDecodeError` for bytes that are not UTF-8.

    msgspec looks into no `Raw`, and a payload that is not UTF-8 would end the links of those who
    receive it (RFC 6455 section 8.1). In pieces, so that a large frame is not copied whole.
    """
    if isinstance(data, str) or data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _UTF8_PIECE_BYTES):
        decoder.decode(data[start : start + _UTF8_PIECE_BYTES])
    decoder.decode(b"", final=True)


def _is_bare(head: _Head) -> bool:
    unset = msgspec.UNSET
    parts = (head.message_info, head.message_segment, head.message_dim)
    return head.payload is unset and unset not in parts


def _bad_msg_id(msg_id: str) -> FrameError:
    text = f"msg_id: expected 1 to {MSG_ID_MAX_CHARS} characters, got {len(msg_id)}"
    return FrameError(ErrorCode.BAD_ENVELOPE, text)


def _checked_type(head: _Head, msg_id: str | None) -> str:
    if head.ver not in _VERSIONS:
        raise FrameError(ErrorCode.BAD_ENVELOPE, f"ver: expected 1, got {head.ver}", msg_id)
    kind = head.type
    if kind is msgspec.UNSET:
        raise _no_type(head, msg_id)
    custom = kind.startswith(CUSTOM_PREFIX) and len(CUSTOM_PREFIX) < len(kind) <= TYPE_MAX_CHARS
    if custom or kind in (SYS_STD, SYS_ACK):
        return kind
    text = f"type: expected sys_std, sys_ack or custom_*, got {kind[:TYPE_MAX_CHARS]!r}"
    raise FrameError(ErrorCode.UNKNOWN_TYPE, text, msg_id)


def _no_type(head: _Head, msg_id: str | None) -> FrameError:
    """Say what a frame without a type is, as far as that can be told."""
    unset = msgspec.UNSET
    if head.post_type is not unset and head.self_id is not unset:
        return FrameError(ErrorCode.BAD_ENVELOPE, ONEBOT, msg_id)
    if unset not in (head.message_info, head.message_segment) and head.payload is unset:
        text = "message_dim: expected the receiver, its api_key and platform; got nothing"
        return FrameError(ErrorCode.BAD_MESSAGE, text, msg_id)
    return FrameError(ErrorCode.BAD_ENVELOPE, "type: expected a string, got nothing", msg_id)


def _checked_payload(head: _Head, msg_id: str | None) -> bytes | memoryview:
    if head.payload is not msgspec.UNSET:
        raw = memoryview(head.payload)
        if raw[0] == _BRACE:
            return raw.tobytes() if len(raw) <= _VIEW_BYTES else raw
    raise FrameError(ErrorCode.BAD_MESSAGE, "payload: expected a JSON object", msg_id)


def _decode_standard(payload: bytes | memoryview, msg_id: str | None) -> _Standard:
    try:
        message = _standard.decode(payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(ErrorCode.BAD_MESSAGE, f"payload: {error}", msg_id) from None
    if message.message_dim.api_key and message.message_dim.platform:
        return message
    text = "payload: message_dim: api_key and platform must not be empty"
    raise FrameError(ErrorCode.BAD_MESSAGE, text, msg_id)


def _custom_target(payload: bytes | memoryview) -> Target | None:
    """A custom message may name its receiver as a standard one does; it need not."""
    dim = _maybe_targeted.decode(payload).message_dim
    if dim is msgspec.UNSET:
        return None
    try:
        target = _target.decode(dim)
    except msgspec.DecodeError:
        return None
    return target if target.api_key and target.platform else None


def _acked_msg_id(head: _Head, msg_id: str | None) -> str:
    try:
        return _ack_meta.decode(head.meta if head.meta is not msgspec.UNSET else b"{}").acked_msg_id
    except msgspec.DecodeError as error:
        raise FrameError(ErrorCode.BAD_ENVELOPE, f"meta: {error}", msg_id) from None


def decode_envelope(data: bytes | str) -> Envelope:
    """Decode an envelope that the edge sent; raises `FrameError` (`bad_json`, `bad_envelope`)."""
    try:
        return _envelope.decode(data)
    except msgspec.ValidationError as error:
        raise FrameError(ErrorCode.BAD_ENVELOPE, str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise FrameError(ErrorCode.BAD_JSON, str(error)) from None


def encode_envelope(type: str, msg_id: str, meta: dict[str, Any], payload: bytes) -> bytes:
    """Encode an envelope around the untouched bytes of a payload.

    Parts are joined rather than encoded, so that a large payload is copied once.
    """
    return b"%b%b}" % (encode_head(type, msg_id, meta), payload)


def encode_head(type: str, msg_id: str, meta: Meta | dict[str, Any]) -> bytes:
    """Encode what stands before the payload; behind it there is only `}`."""
    head = b'{"ver":1,"msg_id":%b,"type":%b,"meta":%b,"payload":'
    return head % (_encode(msg_id), _encode(type), _encode(meta))


def encode_ack(connection_uuid: str, acked_msg_id: str, timestamp: float) -> bytes:
    """Encode the edge's `sys_ack` for a settled message; `timestamp` in Unix seconds."""
    acked, stamp = _encode(acked_msg_id), _encode(timestamp)
    own_id = b'"ack_' + acked[1:]
    if len(own_id) > MSG_ID_MAX_CHARS:
        own_id = _encode(f"ack_{acked_msg_id}"[:MSG_ID_MAX_CHARS])
    return _ACK % (own_id, _encode(connection_uuid), acked, stamp, stamp)


def encode_client_ack(connection_uuid: str, acked_msg_id: str, timestamp: float) -> bytes:
    """Encode a client's `sys_ack` for a message that it took; `timestamp` in Unix seconds."""
    meta = {"uuid": connection_uuid, "acked_msg_id": acked_msg_id, "timestamp": timestamp}
    payload = {"status": "received", "client_timestamp": timestamp}
    return encode_envelope(SYS_ACK, f"ack_{acked_msg_id}"[:128], meta, _encode(payload))


def encode_error(code: ErrorCode, text: str, msg_id: str | None, timestamp: float) -> bytes:
    """Encode a `sys_error`: why a frame was not taken; `msg_id` null where it was unreadable."""
    payload = {"code": code.value, "message": text, "msg_id": msg_id}
    error_id = f"error_{uuid.uuid4().hex}"
    return encode_envelope(SYS_ERROR, error_id, {"timestamp": timestamp}, _encode(payload))


def encode_notice(payload: dict[str, Any], timestamp: float) -> bytes:
    """Encode a `sys_notice`, e.g. `{"event": "drain", "retry_after_ms": 1200}`."""
    notice_id = f"notice_{uuid.uuid4().hex}"
    return encode_envelope(SYS_NOTICE, notice_id, {"timestamp": timestamp}, _encode(payload))
