"""A file of hashed credentials: reading, checking and writing it, in TOML or JSON.

Rules of the file: a secret is never stored nor part of a text; a write is atomic and leaves mode
0600; whoever edits the file by hand is told the line that is wrong.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from maim_protocol.envelope import SERVER
from maim_protocol.errors import ConfigError

NAME_MAX_CHARS = 128
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry: whose it is, the SHA-256 of its whole text in hex, and when what happened.

    Times are RFC 3339 texts in UTC. `owner` is the user of an API key or the name of a token.
    """

    id: str
    owner: str
    sha256: str
    created: str
    scopes: tuple[str, ...] = ()
    rotated: str | None = None
    revoked: str | None = None


def hash_secret(text: str) -> str:
    """Return the SHA-256 of a credential's text in hex; the text has 256 bits, no salt needed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(path: Path, table: str, owner_field: str) -> tuple[Credential, ...]:
    """Read and check a file; raises `ConfigError` that names the line or the entry."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8, got a wrong byte at {error.start}") from None
    rows = _rows(path, text, table)
    found: list[Credential] = []
    for number, row in enumerate(rows):
        try:
            found.append(_checked(row, owner_field, found))
        except ValueError as error:
            where = _where(path, text, table, number)
            raise ConfigError(f"{path}: {where}: {error}") from None
    return tuple(found)


def write(path: Path, table: str, owner_field: str, credentials: Iterable[Credential]) -> None:
    """Replace the file in one step, readable by its owner only; raises `ConfigError`."""
    rows = [_row(item, owner_field) for item in credentials]
    text = _json(table, rows) if path.suffix == ".json" else _toml(table, rows)
    try:
        _replace(path.resolve(), text)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write it ({error.strerror})") from None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other writers away from a file, in this process and in others; waits for its turn.

    Raises `ConfigError`. The lock is the folder's: the file itself is replaced by each writer. On
    Windows there is none.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    folder = path.resolve().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ConfigError(f"{path}: cannot write it ({error.strerror})") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def check_name(name: str) -> None:
    """Raise `ValueError` unless `name` may be the name of a user or token."""
    if not 1 <= len(name) <= NAME_MAX_CHARS or not name.isprintable() or name != name.strip():
        text = f"expected 1 to {NAME_MAX_CHARS} printable characters, got {name[:200]!r}"
        raise ValueError(text)
    if name == SERVER:
        raise ValueError(f"expected another name than {SERVER!r}, which is the router's own")


def check_id(text: str) -> None:
    """Raise `ValueError` unless `text` may be the id of a credential."""
    if not _ID.fullmatch(text):
        raise ValueError(f"expected 1 to 64 letters, digits or hyphens, got {text[:200]!r}")


def _rows(path: Path, text: str, table: str) -> list[Any]:
    try:
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(document, dict) or any(name != table for name in document):
        raise ConfigError(f"{path}: expected nothing but {_header(path, table)} entries")
    rows = document.get(table, [])
    if not isinstance(rows, list):
        raise ConfigError(f"{path}: {table}: expected a list of {_header(path, table)} entries")
    return rows


def _header(path: Path, table: str) -> str:
    return f'"{table}"' if path.suffix == ".json" else f"[[{table}]]"


def _checked(row: object, owner_field: str, earlier: Iterable[Credential]) -> Credential:
    if not isinstance(row, Mapping):
        raise ValueError(f"expected a table, got {type(row).__name__}")
    plain = {
        "owner" if name == owner_field else name: value if name == "scopes" else _text(value)
        for name, value in row.items()
    }
    try:
        item = msgspec.convert(plain, Credential)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`owner`", f"`{owner_field}`")) from None
    check_id(item.id)
    check_name(item.owner)
    if not _SHA256.fullmatch(item.sha256):
        raise ValueError("sha256: expected 64 lower-case hex digits")
    if any(other.id == item.id for other in earlier):
        raise ValueError(f"id: {item.id!r} is there twice")
    return item


def _text(value: object) -> object:
    """TOML's own dates are taken too."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _where(path: Path, text: str, table: str, number: int) -> str:
    if path.suffix == ".json":
        return f"entry {number + 1}"
    header = re.compile(rf"\s*\[\[\s*{table}\s*\]\]")
    lines = [line for line, content in enumerate(text.splitlines(), 1) if header.match(content)]
    return f"line {lines[number]}" if number < len(lines) else f"entry {number + 1}"


def _row(item: Credential, owner_field: str) -> dict[str, object]:
    row: dict[str, object] = {"id": item.id, owner_field: item.owner}
    if item.scopes:
        row["scopes"] = list(item.scopes)
    row |= {"sha256": item.sha256, "created": item.created}
    times = {"rotated": item.rotated, "revoked": item.revoked}
    return row | {name: value for name, value in times.items() if value}


def _json(table: str, rows: list[dict[str, object]]) -> str:
    return json.dumps({table: rows}, indent=2, ensure_ascii=False) + "\n"


def _toml(table: str, rows: list[dict[str, object]]) -> str:
    lines = ["# Written by `maim keys`: ids and hashes, never the secrets themselves."]
    for row in rows:
        lines += ["", f"[[{table}]]"]
        # A JSON string of printable characters is a TOML string too.
        lines += [f"{name} = {json.dumps(row[name], ensure_ascii=False)}" for name in row]
    return "\n".join(lines) + "\n"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file 0600 from its first byte on.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
