"""The HTTP side of a WebSocket handshake (RFC 6455 section 4.2): bytes in, bytes out, no I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

# As websockets has them, whose lines hold a colon, a space and an end of line besides.
MAX_HEADERS = 128
MAX_LINE_BYTES = 8188

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Headers = list[tuple[bytes, bytes]]


class BadUpgrade(Exception):
    """A handshake that is answered by an HTTP status."""

    def __init__(self, status: HTTPStatus, text: str, headers: Iterable[tuple[bytes, bytes]] = ()):
        super().__init__(text)
        self.response = error_response(status, text, headers)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A correct handshake; names of headers are in lower case."""

    raw_path: bytes
    query_string: bytes
    headers: Headers
    subprotocols: list[str]
    key: bytes


def read_upgrade(head: bytes) -> Upgrade:
    """Read the head of a request, to its empty line; raises `BadUpgrade`."""
    request, *lines = head.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    method, _, rest = request.partition(b" ")
    target = rest.rpartition(b" ")[0]
    headers = [_header(line) for line in lines]
    key = checked_key(method, target, headers)
    raw_path, _, query_string = target.partition(b"?")
    subprotocols = [word.decode("latin-1") for word in words(headers, b"sec-websocket-protocol")]
    return Upgrade(raw_path, query_string, headers, subprotocols, key)


def checked_key(method: bytes, target: bytes, headers: Headers) -> bytes:
    """Check a handshake and give its `Sec-WebSocket-Key`; raises `BadUpgrade`."""
    longest = max(len(name) + len(value) for name, value in [(method, target), *headers])
    if len(headers) > MAX_HEADERS or longest > MAX_LINE_BYTES:
        raise BadUpgrade(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"expected at most {MAX_HEADERS} headers of at most {MAX_LINE_BYTES} bytes",
        )
    if method != b"GET":
        raise BadUpgrade(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET", [(b"Allow", b"GET")])
    if b"websocket" not in [word.lower() for word in words(headers, b"upgrade")]:
        raise BadUpgrade(HTTPStatus.BAD_REQUEST, "expected Upgrade: websocket")
    if b"upgrade" not in [word.lower() for word in words(headers, b"connection")]:
        raise BadUpgrade(HTTPStatus.BAD_REQUEST, "expected Connection: Upgrade")
    if (versions := words(headers, b"sec-websocket-version")) != [b"13"]:
        raise BadUpgrade(
            HTTPStatus.UPGRADE_REQUIRED,
            f"expected Sec-WebSocket-Version: 13, got {_shown(versions)}",
            [(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Version", b"13")],
        )
    keys = [value for name, value in headers if name == b"sec-websocket-key"]
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadUpgrade(HTTPStatus.BAD_REQUEST, "expected one Sec-WebSocket-Key of 16 bytes")
    return keys[0]


def words(headers: Headers, name: bytes) -> list[bytes]:
    """Read the comma list that all headers of a name make up."""
    lists = [value.split(b",") for key, value in headers if key == name]
    return [stripped for parts in lists for word in parts if (stripped := word.strip())]


def accepted(key: bytes, headers: Iterable[tuple[bytes, bytes]], subprotocol: str | None) -> bytes:
    """Write the response that accepts a handshake with this key."""
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    if subprotocol:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode("latin-1"))
    return b"\r\n".join([*lines, *(name + b": " + value for name, value in headers), b"", b""])


def response(status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Write a response that ends the connection."""
    given = list(headers)
    names = {name.lower() for name, _ in given}
    defaults = [
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        (b"Connection", b"close"),
    ]
    given += [(name, value) for name, value in defaults if name.lower() not in names]
    lines = [b"HTTP/1.1 %d %s" % (status, _phrase(status)), *(b"%s: %s" % pair for pair in given)]
    return b"\r\n".join([*lines, b"", body])


def error_response(
    status: HTTPStatus, text: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """Write a refusal: a JSON object with `error`, the status's name, and `message`."""
    body = json.dumps({"error": status.name.lower(), "message": text}).encode()
    return response(status, [(b"Content-Type", b"application/json"), *headers], body)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _shown(values: list[bytes]) -> str:
    return b", ".join(values)[:64].decode("latin-1") or "none"


def _is_key(value: bytes) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == 16
    except binascii.Error:
        return False


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b""
