"""What a client asks for in its handshake: pure (docs/protocol.md, "Connecting")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from maim_protocol.close_codes import CloseCode
from maim_protocol.errors import Refusal

PLATFORM_MAX_CHARS = 128
LABEL_MAX_CHARS = 128
HEADERS_MAX_BYTES = 8192
# Seconds after which a client that was turned away for want of room may try again.
RETRY_AFTER = 5
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "x-apikey"})
_HOP = frozenset({"connection", "upgrade"})

Format = Literal["", "envelope", "bare"]


@dataclass(frozen=True, slots=True, repr=False)
class Handshake:
    """What the client asked for; holds the credential, so it has no repr."""

    api_key: str
    platform: str
    label: str
    format: Format
    headers: tuple[tuple[str, str], ...]


class HandshakeRefused(Exception):
    """Why there will be no connection; `text` is for the client and holds no credential."""

    def __init__(self, code: Refusal, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status to refuse with."""
        return _STATUS[self.code]

    @property
    def close_code(self) -> CloseCode:
        """The close code to refuse with when the upgrade was accepted first."""
        return _CLOSE_CODES[self.code]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the HTTP response."""
        retry = self.code in (Refusal.TOO_MANY_CONNECTIONS, Refusal.ROUTER_UNAVAILABLE)
        return {"Retry-After": str(RETRY_AFTER)} if retry else {}

    @property
    def body(self) -> dict[str, str]:
        """The JSON body of the HTTP response."""
        return {"error": self.code.value, "message": self.text}


_STATUS = {
    Refusal.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    Refusal.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Refusal.FORBIDDEN_ORIGIN: HTTPStatus.FORBIDDEN,
    Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Refusal.UPGRADE_REQUIRED: HTTPStatus.UPGRADE_REQUIRED,
    Refusal.TOO_MANY_CONNECTIONS: HTTPStatus.TOO_MANY_REQUESTS,
    Refusal.ROUTER_UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_CLOSE_CODES = {
    Refusal.BAD_REQUEST: CloseCode.BAD_FRAMES,
    Refusal.UNAUTHENTICATED: CloseCode.UNAUTHENTICATED,
    Refusal.FORBIDDEN_ORIGIN: CloseCode.FORBIDDEN,
    Refusal.NOT_FOUND: CloseCode.BAD_FRAMES,
    Refusal.METHOD_NOT_ALLOWED: CloseCode.BAD_FRAMES,
    Refusal.UPGRADE_REQUIRED: CloseCode.BAD_FRAMES,
    Refusal.TOO_MANY_CONNECTIONS: CloseCode.LIMITED,
    Refusal.ROUTER_UNAVAILABLE: CloseCode.ROUTER_UNREACHABLE,
}


def read_handshake(
    query: Mapping[str, str], headers: Sequence[tuple[str, str]], origins: Iterable[str] = ()
) -> Handshake:
    """Read query and headers (names in lower case); raises `HandshakeRefused`.

    `origins` are those that may connect from a browser page; none: any.
    """
    first = dict(reversed(headers))
    _check_origin(first.get("origin"), tuple(origins))
    return Handshake(
        api_key=_credential(query, first),
        platform=_bounded(
            "platform", query.get("platform") or first.get("x-platform") or "unknown"
        ),
        label=_bounded("uuid", first.get("x-uuid") or query.get("uuid") or ""),
        format=_format(query.get("format", "")),
        headers=tuple(_without_credentials(headers)),
    )


def _check_origin(origin: str | None, allowed: Sequence[str]) -> None:
    if origin is None or not allowed or origin in allowed:
        return
    text = "pages of this origin may not connect; the operator lists MAIM_EDGE_ALLOWED_ORIGINS"
    raise HandshakeRefused(Refusal.FORBIDDEN_ORIGIN, text)


def _credential(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    api_key = query.get("api_key") or headers.get("x-apikey") or bearer
    if not api_key:
        text = "expected a credential: query api_key, header x-apikey or Authorization: Bearer"
        raise HandshakeRefused(Refusal.UNAUTHENTICATED, text)
    return api_key


def _bounded(name: str, value: str) -> str:
    limit = PLATFORM_MAX_CHARS if name == "platform" else LABEL_MAX_CHARS
    if len(value) <= limit:
        return value
    text = f"{name}: expected at most {limit} characters, got {len(value)}"
    raise HandshakeRefused(Refusal.BAD_REQUEST, text)


def _format(value: str) -> Format:
    match value:
        case "" | "envelope" | "bare":
            return value
        case _:
            text = "format: expected envelope or bare"
            raise HandshakeRefused(Refusal.BAD_REQUEST, text)


def _without_credentials(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    room = HEADERS_MAX_BYTES
    for name, value in headers:
        if name in _CREDENTIALS or name in _HOP or name.startswith("sec-websocket"):
            continue
        room -= len(name) + len(value)
        if room < 0:
            return
        yield name, value
