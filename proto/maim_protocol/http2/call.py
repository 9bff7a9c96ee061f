"""The header fields of a gRPC call: request, response, trailers; pure.

"gRPC over HTTP2" (PROTOCOL-HTTP2.md of the gRPC project) is the source of every name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, unquote

from hpack import NeverIndexedHeaderTuple

from maim_protocol.http2.codes import CallFailed, Status, status_of_http
from maim_protocol.http2.events import Field, Fields

CONTENT_TYPE = "application/grpc"
# grpcio takes 8 KiB of headers from anybody.
TEXT_CHARS = 1000
RESPONSE: Fields = (
    (":status", "200"),
    ("content-type", CONTENT_TYPE),
    ("grpc-accept-encoding", "identity"),
)
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """What a client asks for; holds its token, so it has no repr."""

    path: str
    metadata: Fields


def request(path: str, authority: str, scheme: str, token: str | None) -> Fields:
    """Make the fields that begin a call; no table of HPACK keeps the token."""
    fields = [
        (":method", "POST"),
        (":scheme", scheme),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", CONTENT_TYPE),
        ("user-agent", "maim"),
        ("grpc-accept-encoding", "identity"),
    ]
    if token is not None:
        fields.append(cast(Field, NeverIndexedHeaderTuple("authorization", f"Bearer {token}")))
    return tuple(fields)


def read_request(fields: Fields) -> Request:
    """Read the fields that begin a call; raises `CallFailed` when they begin none."""
    found = dict(reversed(fields))
    problem = _problem_of(found)
    if problem:
        raise CallFailed(Status.INTERNAL, problem)
    encoding = found.get("grpc-encoding", "identity")
    if encoding != "identity":
        text = f"expected messages without compression, got grpc-encoding {encoding}"
        raise CallFailed(Status.UNIMPLEMENTED, text)
    return Request(found[":path"], tuple(pair for pair in fields if not pair[0].startswith(":")))


def trailers(status: Status, text: str, metadata: Iterable[Field] = (), *, alone: bool) -> Fields:
    """Make the fields that end a call; `alone`: no response went before."""
    fields = list(RESPONSE if alone else ())
    fields.append(("grpc-status", str(int(status))))
    if text:
        fields.append(("grpc-message", quote(text[:TEXT_CHARS], _PRINTABLE, errors="replace")))
    return (*fields, *metadata)


def read_response(fields: Fields) -> bool:
    """Tell whether fields begin a response; not if they are interim (100 to 199).

    Raises `CallFailed` when who answers speaks no gRPC.
    """
    found = dict(reversed(fields))
    http = found.get(":status", "")
    if len(http) == 3 and http[0] == "1":
        return False
    kind = found.get("content-type", "")
    if http != "200" or not _is_grpc(kind):
        text = f"expected a gRPC response, got HTTP status {http} and content-type {kind}"
        raise CallFailed(status_of_http(http), text)
    return True


def read_trailers(fields: Fields) -> tuple[Status, str]:
    """Read how a call ended."""
    found = dict(reversed(fields))
    text = unquote(found.get("grpc-message", ""), errors="replace")
    number = found.get("grpc-status", "")
    try:
        return Status(int(number)), text
    except ValueError:
        return Status.UNKNOWN, text or f"expected a grpc-status, got {number or 'none'}"


def _is_grpc(content_type: str) -> bool:
    """Whether it is `application/grpc`, perhaps with `+proto` or parameters."""
    return re.split("[+;]", content_type)[0] == CONTENT_TYPE


def _problem_of(found: dict[str, str]) -> str:
    """Say why fields begin no call; empty: they do."""
    for name, expected in ((":method", "POST"), ("te", "trailers")):
        if found.get(name) != expected:
            return f"expected {name} {expected}, got {found.get(name, 'none')}"
    if not _is_grpc(found.get("content-type", "")):
        return f"expected content-type {CONTENT_TYPE}, got {found.get('content-type', 'none')}"
    return "" if found.get(":path") else "expected a :path, got none"
