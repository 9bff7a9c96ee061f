"""What handshakes say alike is kept once."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import Admission, Live, Open
from maim_router.bridge import interning
from maim_router.bridge.interning import HandshakeInterner


def fresh(text: str) -> str:
    """The same text as another object, as a decoder makes it."""
    return "".join(list(text))


def handshake(conn: int, key: str = "unique") -> Open:
    headers = ((fresh("user-agent"), fresh("curl/8")), (fresh("sec-websocket-key"), key))
    return Open(conn, f"key-{conn}", fresh("qq"), "label", fresh("192.0.2.1"), 1.5, headers)


def test_a_handshake_comes_back_equal() -> None:
    asked = handshake(1)
    assert HandshakeInterner().open(asked) == asked
    live = Live(asked, Admission("uuid", "alice"))
    assert HandshakeInterner().live(live) == live


def test_equal_texts_and_headers_are_one_object() -> None:
    shared = HandshakeInterner()
    one, two = shared.open(handshake(1, "a")), shared.open(handshake(2, "b"))
    assert one.platform is two.platform
    assert one.client_ip is two.client_ip
    assert one.headers[0] is two.headers[0]
    assert one.headers[1][0] is two.headers[1][0]
    assert (one.headers[1][1], two.headers[1][1]) == ("a", "b")


def test_what_everybody_says_differently_does_not_grow_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(interning, "LIMIT", 10)
    shared = HandshakeInterner()
    for conn in range(100):
        asked = handshake(conn, f"key-{conn}")
        assert shared.open(asked) == asked
    assert max(map(len, (shared._texts, shared._headers))) <= 10
