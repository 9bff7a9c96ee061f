"""Tokens of the gRPC services: which one may do what.

Scopes stand for themselves, none includes another: `bridge` attaches an edge, `read` lists,
`send` sends, `admin` disconnects and changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials.file import Credential
from maim_router.auth.credentials.keyring import Ring
from maim_router.auth.credentials.store import CredentialStore, utc_now
from maim_runtime.settings import suggestion

TABLE = "tokens"
SCOPES = ("bridge", "read", "send", "admin")


@dataclass(frozen=True, slots=True)
class Token:
    """What may be shown of a token; times are RFC 3339 texts in UTC."""

    id: str
    name: str
    scopes: frozenset[str]
    created: str
    rotated: str | None = None
    revoked: str | None = None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just issued; `token` is its only copy."""

    id: str
    name: str
    scopes: frozenset[str]
    token: str = field(repr=False)


class Tokens:
    """Tokens of one file; it is re-read when it changes.

    Raises `ConfigError` when the file is missing (unless `create`) or broken.
    """

    def __init__(
        self, path: Path, *, create: bool = False, now: Callable[[], str] = utc_now
    ) -> None:
        self._store = CredentialStore(
            path, TABLE, "name", check=_check_scopes, now=now, create=create
        )

    def authenticate(self, text: str) -> Token | None:
        """Return the token whose whole text this is, unless it was revoked."""
        found = self._store.ring.find(text)
        return _token(found) if found else None

    def add(self, name: str, scopes: Iterable[str], *, id: str | None = None) -> NewToken:
        """Issue a token; raises `ConfigError` for no or an unknown scope."""
        asked = set(scopes)
        for scope in sorted(asked.difference(SCOPES)):
            raise ConfigError(_unknown(scope))
        wanted = tuple(scope for scope in SCOPES if scope in asked)
        if not wanted:
            raise ConfigError(f"scope: expected at least one of {', '.join(SCOPES)}, got none")
        item, text = self._store.issue(name, id, wanted)
        return NewToken(item.id, item.owner, frozenset(item.scopes), text)

    def rotate(self, id: str) -> NewToken:
        """Issue a new token under the same id; the old one is worth nothing from now on."""
        item, text = self._store.rotate(id)
        return NewToken(item.id, item.owner, frozenset(item.scopes), text)

    def revoke(self, id: str) -> None:
        """Make a token worth nothing."""
        self._store.revoke(id)

    def list(self) -> tuple[Token, ...]:
        """Return every token in the order of the file."""
        return tuple(_token(item) for item in self._store.ring.credentials)


def _token(item: Credential) -> Token:
    scopes = frozenset(item.scopes)
    return Token(item.id, item.owner, scopes, item.created, item.rotated, item.revoked)


def _unknown(scope: str) -> str:
    return f"scope: expected {', '.join(SCOPES)}, got {scope!r}{suggestion(scope, SCOPES)}"


def _check_scopes(ring: Ring) -> None:
    for item in ring.credentials:
        for scope in item.scopes:
            if scope not in SCOPES:
                raise ConfigError(f"{item.id}: {_unknown(scope)}")
        if not item.scopes:
            raise ConfigError(f"{item.id}: scopes: expected at least one of {', '.join(SCOPES)}")
