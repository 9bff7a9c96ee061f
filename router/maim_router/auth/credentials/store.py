"""A ring of credentials kept in step with its file: re-read when the file changes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from maim_protocol.errors import ConfigError
from maim_router.auth.credentials import file as credential_file
from maim_router.auth.credentials.file import Credential, hash_secret
from maim_router.auth.credentials.keyring import Ring

log = logging.getLogger(__name__)

SECRET_BYTES = 32
ID_BYTES = 4

Check = Callable[[Ring], None]
Stamp = tuple[int, int, int]


def utc_now() -> str:
    """Return the present as an RFC 3339 text."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def new_id() -> str:
    """Return a fresh id; short, for it is typed as an address."""
    return secrets.token_hex(ID_BYTES)


def new_text(id: str) -> str:
    """Return a fresh secret text of an id: `maim_<id>_<43 url-safe characters>`."""
    return f"maim_{id}_{secrets.token_urlsafe(SECRET_BYTES)}"


class CredentialStore:
    """One file of credentials: `ring` is its present content, changes are written at once.

    A file that breaks while the service runs keeps its last good content, with an error in the
    log; at the first reading it is a `ConfigError`. `check` refuses what the kind cannot have.
    """

    def __init__(
        self,
        path: Path,
        table: str,
        owner_field: str,
        *,
        check: Check,
        now: Callable[[], str] = utc_now,
        create: bool = False,
    ) -> None:
        self._path = path
        self._table = table
        self._owner_field = owner_field
        self._check = check
        self._now = now
        self._stamp = self._stat()
        self._ring = Ring() if create and self._stamp is None else self._read()

    @property
    def ring(self) -> Ring:
        """The credentials as the file holds them now."""
        stamp = self._stat()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._ring = self._reread()
            except ConfigError as error:
                log.error("credential file not taken, the last good one stays: %s", error)
        return self._ring

    def issue(
        self, owner: str, id: str | None, scopes: tuple[str, ...] = ()
    ) -> tuple[Credential, str]:
        """Add a credential; returns it with its text, which is not to be had again."""
        id = id or new_id()
        try:
            credential_file.check_name(owner)
            credential_file.check_id(id)
        except ValueError as error:
            raise ConfigError(f"{self._owner_field} or id: {error}") from None
        text = new_text(id)
        item = Credential(
            id=id, owner=owner, sha256=hash_secret(text), created=self._now(), scopes=scopes
        )
        return self._change(lambda ring: ring.added(item)), text

    def rotate(self, id: str) -> tuple[Credential, str]:
        """Give an id a new text; returns it as `issue` does, the old text is worth nothing."""
        text = new_text(id)
        sha256, now = hash_secret(text), self._now()
        return self._change(lambda ring: ring.rotated(id, sha256, now)), text

    def revoke(self, id: str) -> None:
        """Make an id worth nothing."""
        now = self._now()
        self._change(lambda ring: ring.revoked(id, now))

    def _reread(self) -> Ring:
        """Read again; an editor that writes in two steps leaves an empty file between them."""
        ring = self._read()
        if self._ring.credentials and not ring.credentials:
            text = "expected entries, got none; revoke credentials to make them worth nothing"
            raise ConfigError(f"{self._path}: {text}")
        return ring

    def _read(self) -> Ring:
        ring = Ring(credential_file.read(self._path, self._table, self._owner_field))
        try:
            self._check(ring)
        except ConfigError as error:
            raise ConfigError(f"{self._path}: {error}") from None
        return ring

    def _change(self, change: Callable[[Ring], Credential]) -> Credential:
        """Write what `change` makes of the present content, whoever else writes meanwhile."""
        with credential_file.locked(self._path):
            # Read without a look at the stamp: a file that is broken now must not be replaced.
            ring = self._read() if self._stat() is not None else Ring()
            item = change(ring)
            ring = ring.with_item(item)
            self._check(ring)
            credential_file.write(self._path, self._table, self._owner_field, ring.credentials)
            self._ring = ring
            self._stamp = self._stat()
        return item

    def _stat(self) -> Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size, found.st_ino)
