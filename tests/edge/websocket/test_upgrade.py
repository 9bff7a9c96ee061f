"""Heads of requests read and answers written, without a connection."""

from __future__ import annotations

import json

import pytest

from maim_edge.websocket.upgrade import (
    MAX_HEADERS,
    MAX_LINE_BYTES,
    BadUpgrade,
    accepted,
    read_upgrade,
    response,
)

HEAD = (
    b"GET /chat?a=1?b HTTP/1.1\r\nhost: server.example.com\r\nUpgrade: WebSocket\r\n"
    b"connection: keep-alive, Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: chat, superchat\r\nsec-websocket-protocol: more\r\n"
    b"sec-websocket-version: 13\r\n\r\n"
)


def test_a_handshake_is_read() -> None:
    upgrade = read_upgrade(HEAD)
    assert (upgrade.raw_path, upgrade.query_string) == (b"/chat", b"a=1?b")
    assert upgrade.headers[1] == (b"upgrade", b"WebSocket")
    assert upgrade.subprotocols == ["chat", "superchat", "more"]


def test_it_is_accepted_as_the_rfc_has_it() -> None:
    answer = accepted(read_upgrade(HEAD).key, [(b"x-name", b"value")], "chat")
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    assert (status, body) == (b"HTTP/1.1 101 Switching Protocols", b"")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines  # RFC 6455, 1.3
    assert b"Sec-WebSocket-Protocol: chat" in lines
    assert b"x-name: value" in lines


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"GET", b"PUT", 405),
        (b"WebSocket", b"h2c", 400),
        (b"keep-alive, Upgrade", b"close", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhl", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZSBub25jZQ=", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"\xff" * 24, 400),
        (b"13", b"14", 426),
        (b"host", b"x: " + b"y" * MAX_LINE_BYTES + b"\r\nhost", 431),
        (b"host", b"x: y\r\n" * MAX_HEADERS + b"host", 431),
    ],
)
def test_a_wrong_one_is_refused_with_its_status(old: bytes, new: bytes, status: int) -> None:
    with pytest.raises(BadUpgrade) as caught:
        read_upgrade(HEAD.replace(old, new))
    head, _, body = caught.value.response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nContent-Type: application/json" in head
    assert json.loads(body).keys() == {"error", "message"}


def test_a_response_says_that_the_connection_ends() -> None:
    text = response(299, [(b"content-type", b"text/html")], b"body")
    assert text.startswith(b"HTTP/1.1 299 \r\ncontent-type: text/html\r\n")
    assert text.endswith(b"Content-Length: 4\r\nConnection: close\r\n\r\nbody")
