"""Every line of protocol.md, "Connecting", that can be decided from query and headers."""

from __future__ import annotations

import pytest

from maim_edge.handshake import (
    HEADERS_MAX_BYTES,
    HandshakeRefused,
    read_handshake,
)
from maim_protocol.close_codes import CloseCode
from maim_protocol.errors import Refusal

KEY = {"api_key": "k"}


def refused(
    query: dict[str, str], headers: list[tuple[str, str]], origins: tuple[str, ...] = ()
) -> HandshakeRefused:
    with pytest.raises(HandshakeRefused) as caught:
        read_handshake(query, headers, origins)
    return caught.value


@pytest.mark.parametrize(
    ("query", "headers", "expected"),
    [
        ({"api_key": "q"}, [("x-apikey", "h"), ("authorization", "Bearer b")], "q"),
        ({}, [("x-apikey", "h"), ("authorization", "Bearer b")], "h"),
        ({}, [("authorization", "Bearer b")], "b"),
        ({}, [("authorization", "bearer   b ")], "b"),
        ({"api_key": ""}, [("x-apikey", "h")], "h"),
        ({"api_key": "密钥 +&"}, [], "密钥 +&"),
    ],
)
def test_the_credential_is_query_then_header_then_bearer(
    query: dict[str, str], headers: list[tuple[str, str]], expected: str
) -> None:
    assert read_handshake(query, headers).api_key == expected


@pytest.mark.parametrize(
    "headers",
    [[], [("authorization", "Basic dTpw")], [("authorization", "Bearer ")], [("x-apikey", "")]],
)
def test_no_credential_is_unauthenticated(headers: list[tuple[str, str]]) -> None:
    error = refused({}, headers)
    assert (error.code, error.status) == (Refusal.UNAUTHENTICATED, 401)
    assert error.close_code == CloseCode.UNAUTHENTICATED
    assert error.body["error"] == "unauthenticated"
    assert "api_key" in error.body["message"]


def test_platform_and_label_have_their_order_and_defaults() -> None:
    headers = [("x-platform", "hp"), ("x-uuid", "hu")]
    both = read_handshake(KEY | {"platform": "qp", "uuid": "qu"}, headers)
    assert (both.platform, both.label) == ("qp", "hu")
    from_headers = read_handshake(KEY, headers)
    assert (from_headers.platform, from_headers.label) == ("hp", "hu")
    from_query = read_handshake(KEY | {"uuid": "qu"}, [])
    assert (from_query.platform, from_query.label) == ("unknown", "qu")
    assert read_handshake(KEY, []).label == ""


@pytest.mark.parametrize("name", ["platform", "uuid"])
def test_platform_and_label_have_at_most_128_characters(name: str) -> None:
    read_handshake(KEY | {name: "台" * 128}, [])
    error = refused(KEY | {name: "x" * 129}, [])
    assert (error.code, error.status) == (Refusal.BAD_REQUEST, 400)
    assert "128" in error.text
    assert "129" in error.text


def test_the_format_is_one_of_two_or_none() -> None:
    assert read_handshake(KEY, []).format == ""
    for name in ("envelope", "bare"):
        assert read_handshake(KEY | {"format": name}, []).format == name
    assert refused(KEY | {"format": "xml"}, []).code is Refusal.BAD_REQUEST


def test_credentials_are_stripped_from_the_headers_that_are_passed_on() -> None:
    headers = [
        ("host", "h"),
        ("x-apikey", "secret"),
        ("authorization", "Bearer secret"),
        ("proxy-authorization", "secret"),
        ("cookie", "s=secret"),
        ("sec-websocket-key", "secret"),
        ("sec-websocket-protocol", "secret"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("user-agent", "test"),
    ]
    asked = read_handshake({"api_key": "secret"}, headers)
    assert asked.headers == (("host", "h"), ("user-agent", "test"))


def test_the_headers_that_are_passed_on_are_bounded() -> None:
    headers = [("x-first", "1"), *((f"x-{i}", "v" * 1000) for i in range(100))]
    kept = read_handshake(KEY, headers).headers
    assert kept[0] == ("x-first", "1")
    assert sum(len(name) + len(value) for name, value in kept) <= HEADERS_MAX_BYTES


def test_a_handshake_does_not_show_its_credential() -> None:
    asked = read_handshake({"api_key": "hidden-key"}, [])
    assert "hidden-key" not in f"{asked!r} {asked}"


def test_only_pages_of_a_listed_origin_may_connect() -> None:
    allowed = ("https://a.example", "null")
    page = [("origin", "https://a.example")]
    assert read_handshake(KEY, page, allowed).api_key == "k"
    assert read_handshake(KEY, [("origin", "null")], allowed).api_key == "k"
    assert read_handshake(KEY, [], allowed).api_key == "k"
    assert read_handshake(KEY, [("origin", "https://b.example")]).api_key == "k"
    for other in ("https://b.example", "https://a.example.evil", "http://a.example", ""):
        error = refused(KEY, [("origin", other)], allowed)
        assert (error.code, error.status) == (Refusal.FORBIDDEN_ORIGIN, 403)
        assert error.close_code == CloseCode.FORBIDDEN


def test_the_origin_is_judged_before_the_credential() -> None:
    error = refused({}, [("origin", "https://b.example")], ("https://a.example",))
    assert error.code is Refusal.FORBIDDEN_ORIGIN


@pytest.mark.parametrize("code", list(Refusal))
def test_every_refusal_has_status_close_code_and_body(code: Refusal) -> None:
    error = HandshakeRefused(code, "text")
    assert 400 <= error.status < 600
    assert error.close_code >= 4400
    assert error.body == {"error": code.value, "message": "text"}
    waits = code in (Refusal.TOO_MANY_CONNECTIONS, Refusal.ROUTER_UNAVAILABLE)
    assert ("Retry-After" in error.headers) == waits
