"""The built-in API key file: which key belongs to which user.

Keys authenticate, ids and users address: `maim_<id>_<secret>` is shown once and stored hashed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials.keyring import Ring
from maim_router.auth.credentials.store import CredentialStore, utc_now

TABLE = "keys"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What may be shown of a key; times are RFC 3339 texts in UTC."""

    id: str
    user: str
    created: str
    rotated: str | None = None
    revoked: str | None = None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key just issued; `key` is its only copy."""

    id: str
    user: str
    key: str = field(repr=False)


class ApiKeys:
    """API keys of one file; it is re-read when it changes.

    Raises `ConfigError` when the file is missing (unless `create`) or broken.
    """

    def __init__(
        self, path: Path, *, create: bool = False, now: Callable[[], str] = utc_now
    ) -> None:
        self._store = CredentialStore(
            path, TABLE, "user", check=_check_unambiguous, now=now, create=create
        )

    def authenticate(self, text: str) -> str | None:
        """Return the user of a whole key that is not revoked."""
        found = self._store.ring.find(text)
        return found.owner if found else None

    def resolve(self, text: str) -> str | None:
        """Return the user that a key, the id of a key or a user's own name addresses.

        What is revoked addresses nobody; a user is known while it has a valid key.
        """
        ring = self._store.ring
        found = ring.find(text) or ring.get(text)
        if found is not None:
            return None if found.revoked else found.owner
        return text if ring.has_owner(text) else None

    def add(self, user: str, *, id: str | None = None) -> NewApiKey:
        """Issue a key for a user."""
        item, key = self._store.issue(user, id)
        return NewApiKey(item.id, item.owner, key)

    def rotate(self, id: str) -> NewApiKey:
        """Issue a new key under the same id; the old one is worth nothing from now on."""
        item, key = self._store.rotate(id)
        return NewApiKey(item.id, item.owner, key)

    def revoke(self, id: str) -> None:
        """Make a key worth nothing."""
        self._store.revoke(id)

    def list(self) -> tuple[ApiKey, ...]:
        """Return every key in the order of the file."""
        return tuple(
            ApiKey(item.id, item.owner, item.created, item.rotated, item.revoked)
            for item in self._store.ring.credentials
        )


def _check_unambiguous(ring: Ring) -> None:
    """An id that is another user's name would take that user's messages."""
    for item in ring.credentials:
        if item.scopes:
            raise ConfigError(f"{item.id}: API keys have no scopes, tokens do")
        other = ring.get(item.owner)
        if other is not None and other.owner != item.owner:
            text = f"id {other.id!r} of user {other.owner!r} is also the name of another user"
            raise ConfigError(text)
