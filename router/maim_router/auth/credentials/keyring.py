"""Issued credentials in memory: who holds a secret, and what changes when one is issued.

No I/O and no clock; secrets and times come in as arguments. Every change returns a new ring.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

import msgspec

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials.file import Credential, hash_secret


class Ring:
    """An immutable set of credentials with its look-ups."""

    __slots__ = ("_by_hash", "_by_id", "_owners", "credentials")

    def __init__(self, credentials: Iterable[Credential] = ()) -> None:
        self.credentials = tuple(credentials)
        valid = [item for item in self.credentials if item.revoked is None]
        self._by_id = {item.id: item for item in self.credentials}
        self._by_hash = {item.sha256: item for item in valid}
        self._owners = {item.owner for item in valid}

    def find(self, text: str) -> Credential | None:
        """Return the valid credential whose whole secret text is `text`."""
        digest = hash_secret(text)
        item = self._by_hash.get(digest)
        # Looked up by hash: what timing could tell is about the hash, never about the secret.
        return item if item is not None and hmac.compare_digest(item.sha256, digest) else None

    def get(self, id: str) -> Credential | None:
        """Return the credential of an id, revoked or not."""
        return self._by_id.get(id)

    def has_owner(self, owner: str) -> bool:
        """Whether `owner` holds at least one valid credential."""
        return owner in self._owners

    def with_item(self, item: Credential) -> Ring:
        """Return a ring where `item` stands in the place of what had its id, else at the end."""
        if item.id not in self._by_id:
            return Ring((*self.credentials, item))
        return Ring(item if other.id == item.id else other for other in self.credentials)

    def added(self, item: Credential) -> Credential:
        """Return a new credential; raises `ConfigError` when its id is taken."""
        if item.id in self._by_id:
            raise ConfigError(f"id: {item.id!r} is taken; choose another, or rotate it")
        return item

    def rotated(self, id: str, sha256: str, now: str) -> Credential:
        """Return the credential of an id with a new secret; raises `ConfigError`."""
        return msgspec.structs.replace(self._valid(id), sha256=sha256, rotated=now)

    def revoked(self, id: str, now: str) -> Credential:
        """Return the credential of an id as worth nothing any more; raises `ConfigError`."""
        return msgspec.structs.replace(self._valid(id), revoked=now)

    def _valid(self, id: str) -> Credential:
        item = self._by_id.get(id)
        if item is None:
            raise ConfigError(f"id: {id!r} is not in the file; `maim keys list` shows the ids")
        if item.revoked is not None:
            raise ConfigError(f"id: {id!r} was revoked at {item.revoked}; add a new one")
        return item
