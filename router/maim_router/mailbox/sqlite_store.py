"""Letters in an SQLite file: everything here waits for the disk.

One thread writes while another reads, each over a connection of its own; WAL lets neither wait for
the other. Texts are kept as bytes, since a user id may be any text of Python.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from maim_protocol.errors import ConfigError
from maim_router.mailbox.letter import Letter, Place
from maim_router.mailbox.wal import last_commit

T = TypeVar("T")

# "maim": in the header of each of our files, so that a foreign one is never written to.
APPLICATION = 0x6D61696D
VERSION = 1
DAMAGED = "the mailbox is damaged: move it away, or recover it with `sqlite3 FILE .recover`"
DAMAGES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# The file of the write-ahead log shrinks to this once its pages are in the database.
LOG_BYTES = 64 * 1024 * 1024
# The payload comes last: what is before it is read without it. The index alone fills ours.
SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE letter (
    user_id BLOB NOT NULL, platform BLOB NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL,
    expires_at REAL NOT NULL, timestamp REAL NOT NULL, msg_id BLOB NOT NULL, type BLOB NOT NULL,
    sender_user BLOB NOT NULL, sender_platform BLOB NOT NULL, payload BLOB NOT NULL
);
CREATE INDEX place ON letter (user_id, platform, number, size, expires_at);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""
# A statement for many rows, not one for each: between two statements the thread waits for the
# interpreter's lock, which a busy event loop may hold for long.
ROWS = 256
# Bytes of payload after which a statement takes no more rows: SQLite copies them.
ROW_BYTES = 4 * 1024 * 1024
INSERT = ("INSERT INTO letter VALUES ", "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", "")
# From the few to the many: `IN (VALUES ...)` would go through the whole table.
DELETE = (
    "DELETE FROM letter WHERE rowid IN (SELECT letter.rowid FROM (VALUES ",
    "(?, ?, ?)",
    """) AS gone CROSS JOIN letter ON user_id = gone.column1 AND platform = gone.column2
    AND number = gone.column3)""",
)
READ = "SELECT * FROM letter WHERE user_id = ? AND platform = ? AND number = ?"
MSG_ID = "SELECT msg_id FROM letter WHERE user_id = ? AND platform = ? AND number = ?"
LOAD = """
SELECT user_id, platform, number, size, expires_at FROM letter
ORDER BY user_id, platform, number
"""


class Written(msgspec.Struct, frozen=True):
    """What became of a commit: which letters are stored, whether the removals are made."""

    stored: Sequence[bool]
    removed: bool
    error: Exception | None = None


class Disk:
    """An open file that no other router has; `found` says what is amiss with how it was left."""

    def __init__(self, path: Path) -> None:
        """Open or make it; raises `ConfigError` that names it and what is wrong with it."""
        self._resources = ExitStack()
        self.found: str | None = None
        try:
            with ExitStack() as opening:
                unclean = opening.enter_context(_locked(path))
                _make(path)
                log = Path(f"{path}-wal")
                there, commits = log.exists(), last_commit(log)
                self._writer = opening.enter_context(_connected(path))
                _prepare(path, self._writer)
                if unclean:
                    self.found = _left_behind(self._writer, there, commits)
                self._reader = opening.enter_context(_connected(path))
                self._resources = opening.pop_all()
        except OSError as error:
            raise ConfigError(f"{path}: cannot open the mailbox ({error.strerror})") from None
        except sqlite3.Error as error:
            damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGES
            what = DAMAGED if damaged else "cannot open the mailbox"
            raise ConfigError(f"{path}: {what} ({error})") from None

    def load(self) -> Iterator[tuple[str, str, int, int, float]]:
        """Yield user, platform, number, size, expiry of each letter; raises `sqlite3.Error`."""
        for user_id, platform, *rest in self._reader.execute(LOAD):
            yield _text(user_id), sys.intern(_text(platform)), *rest

    def read(self, place: Place) -> Letter | None:
        """Read a letter; raises `sqlite3.Error`."""
        row = self._reader.execute(READ, _key(place)).fetchone()
        return None if row is None else _letter(row)

    def msg_id(self, place: Place) -> str:
        """Read the msg_id of a letter that is there; raises `sqlite3.Error`."""
        row = self._reader.execute(MSG_ID, _key(place)).fetchone()
        return "" if row is None else _text(row[0])

    def write(self, removals: Sequence[Place], letters: Sequence[Letter]) -> Written:
        """Remove letters, then store others, on the disk when this returns; never raises.

        With neither it tries whether the disk takes anything.
        """
        if not (removals or letters):
            return Written((), True, self._try())
        error = self._commit(removals, letters)
        if error is None:
            return Written([True] * len(letters), True)
        # A removal needs no room: that there is none for letters must not undo it.
        removed = self._commit(removals, ()) is None
        if not removed or isinstance(error, sqlite3.OperationalError):
            return Written([False] * len(letters), removed, error)
        # One of the letters cannot be stored by anybody, which is no fault of the others.
        return Written([self._commit((), [one]) is None for one in letters], True, error)

    def close(self) -> None:
        """Close the file, all of it in the database, and let others open it."""
        self._resources.close()

    def _try(self) -> Exception | None:
        try:
            self._writer.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.Error as error:
            return error
        return None

    def _commit(self, removals: Iterable[Place], letters: Iterable[Letter]) -> Exception | None:
        try:
            with self._writer:
                self._writer.execute("BEGIN IMMEDIATE")
                for places in _parts(removals, lambda _: 0):
                    _execute(self._writer, DELETE, [_key(place) for place in places])
                for some in _parts(letters, lambda one: len(one.payload)):
                    _execute(self._writer, INSERT, [_row(one) for one in some])
        except Exception as error:  # the top of the thread: the one who waits is told
            return error
        return None


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a file beside it locked: an SQLite file too, which locks on every system.

    Yields whether the last who held it did not let go of it in an orderly way.
    """
    with closing(_open(Path(f"{path}-lock"), timeout=0)) as lock:
        try:
            lock.execute("PRAGMA journal_mode = OFF")
            lock.execute("PRAGMA locking_mode = EXCLUSIVE")
            lock.execute("BEGIN EXCLUSIVE")
            unclean = bool(_value(lock, "PRAGMA user_version"))
            lock.execute("PRAGMA user_version = 1")
            lock.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            raise ConfigError(f"{path}: another process has this mailbox open") from None
        yield unclean
        # Not after an exception: what failed to open is as it was.
        lock.execute("PRAGMA user_version = 0")


def _make(path: Path) -> None:
    """Make the file, so that nobody else can read it, nor those that SQLite lays beside it.

    Only while this process has no connection to it: closing the file ends their locks.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(_open(path, timeout=5)) as conn:
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
        yield conn


def _open(path: Path, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(
        path.absolute(),
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=16,
    )


def _prepare(path: Path, conn: sqlite3.Connection) -> None:
    """Make the tables in an empty file, or check whose file it is."""
    application, version = (
        _value(conn, "PRAGMA application_id"),
        _value(conn, "PRAGMA user_version"),
    )
    if not application and not _value(conn, "SELECT count(*) FROM sqlite_master"):
        if _value(conn, "PRAGMA journal_mode = WAL") != "wal":
            raise ConfigError(f"{path}: expected a disk that SQLite's write-ahead log works on")
        conn.executescript(SCHEMA)
    elif application != APPLICATION:
        raise ConfigError(f"{path}: expected a mailbox, got an SQLite file of something else")
    elif version != VERSION:
        raise ConfigError(f"{path}: expected a mailbox of version {VERSION}, got {version}")
    elif (found := str(_value(conn, "PRAGMA quick_check(1)"))) != "ok":
        raise ConfigError(f"{path}: {DAMAGED} ({' '.join(found.split())})")


def _left_behind(conn: sqlite3.Connection, log_was_there: bool, commits: int) -> str:
    """Say in which state a router that was killed has left the file."""
    if not log_was_there:
        return "it was not closed and its write-ahead log is missing: what was in that is lost"
    read = conn.execute("PRAGMA wal_checkpoint").fetchone()[1]
    if commits > read:
        return (
            f"it was not closed and its write-ahead log is damaged behind page {read}: "
            f"what is in the {commits - read} pages after that is lost"
        )
    return "it was not closed; what was stored is there"


def _parts(things: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Cut into what one statement takes."""
    part: list[T] = []
    total = 0
    for thing in things:
        part.append(thing)
        total += size(thing)
        if len(part) == ROWS or total > ROW_BYTES:
            yield part
            part, total = [], 0
    if part:
        yield part


def _execute(
    conn: sqlite3.Connection, statement: tuple[str, str, str], rows: list[tuple[object, ...]]
) -> None:
    """Execute a statement of head, row and tail with so many rows."""
    head, row, tail = statement
    conn.execute(head + ", ".join([row] * len(rows)) + tail, list(chain.from_iterable(rows)))


def _value(conn: sqlite3.Connection, text: str) -> object:
    return conn.execute(text).fetchone()[0]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(kept: bytes) -> str:
    return kept.decode("utf-8", "surrogatepass")


def _key(place: Place) -> tuple[bytes, bytes, int]:
    return _bytes(place[0]), _bytes(place[1]), place[2]


def _row(one: Letter) -> tuple[object, ...]:
    names = (one.msg_id, one.type, one.sender_user, one.sender_platform)
    return (
        *(_bytes(one.user_id), _bytes(one.platform), one.number, len(one.payload)),
        *(one.expires_at, one.timestamp, *map(_bytes, names), one.payload),
    )


def _letter(row: Sequence[Any]) -> Letter:
    user_id, platform, number, _, expires_at, timestamp, *names, payload = row
    msg_id, type_, sender_user, sender_platform = map(_text, names)
    return Letter(
        number=number,
        user_id=_text(user_id),
        platform=_text(platform),
        msg_id=msg_id,
        type=type_,
        payload=payload,
        timestamp=timestamp,
        sender_user=sender_user,
        sender_platform=sender_platform,
        expires_at=expires_at,
    )
