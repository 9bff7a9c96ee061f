"""An address of a mailbox names a kind and a file, or is an error that says what it should be."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from maim_protocol.errors import ConfigError
from maim_router.mailbox import FileMailbox, Letter, MemoryMailbox, open_mailbox
from tests.router.mailbox.contract import WIDE, fill, letter
from tests.router.mailbox.filler import filling


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "box.db"


def make(path: Path, *letters: Letter) -> None:
    """Make a mailbox, or open it, with letters."""

    async def fill_and_close() -> None:
        mailbox = FileMailbox(path, WIDE)
        await fill(mailbox, *letters)
        await mailbox.close()

    asyncio.run(fill_and_close())


def test_memory_is_a_mailbox_in_memory() -> None:
    assert isinstance(open_mailbox("memory://", WIDE), MemoryMailbox)


async def test_four_slashes_are_an_absolute_path(tmp_path: Path) -> None:
    mailbox = open_mailbox(f"sqlite:///{tmp_path}/box.db", WIDE)
    await mailbox.close()
    assert (tmp_path / "box.db").is_file()


@pytest.mark.parametrize("name", ["box.db", ":memory:"])
async def test_three_slashes_are_a_path_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    mailbox = open_mailbox(f"sqlite:///{name}", WIDE)
    await mailbox.close()
    assert (tmp_path / name).is_file()


@pytest.mark.parametrize(
    "url",
    [
        *("", "memory", "memory:", "memory:///", "memory://x", "MEMORY://", "redis://host"),
        *("box.db", "sqlite:", "sqlite://box.db", "sqlite:///", "sqlite:///box.db?mode=ro"),
    ],
)
def test_anything_else_is_told_what_was_expected(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        open_mailbox(url, WIDE)
    assert str(refused.value) == (
        f"expected memory:// or sqlite:///path without options, got {url!r}"
    )


@pytest.mark.parametrize("folder", ["", "nowhere/below"])
def test_a_file_that_cannot_be_made_is_a_config_error(tmp_path: Path, folder: str) -> None:
    says(tmp_path / folder, "cannot open the mailbox")


@pytest.mark.parametrize("content", [b"nothing of SQLite" * 100, b"SQLite format 3\0"])
def test_a_file_of_something_else_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    says(path, "file is not a database")
    assert path.read_bytes() == content


def test_an_sqlite_file_of_somebody_else_is_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (something)")
    content = path.read_bytes()
    says(path, "expected a mailbox, got an SQLite file of something else")
    assert path.read_bytes() == content


def test_a_file_of_another_version_is_left_alone(path: Path) -> None:
    make(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 2")
    says(path, "expected a mailbox of version 1, got 2")


def test_a_corrupt_file_is_a_config_error(path: Path) -> None:
    make(path, *map(letter, range(1000)))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    says(path, "the mailbox is damaged: move it away, or recover it")


def test_a_file_that_is_no_database_is_a_config_error(path: Path) -> None:
    path.write_bytes(b"not a database " * 1000)
    says(path, "the mailbox is damaged")


def test_a_file_that_a_router_died_while_making_is_finished(path: Path) -> None:
    with closing(sqlite3.connect(path)) as begun:
        begun.execute("PRAGMA journal_mode = WAL")
    make(path, letter(1))


def test_a_file_that_another_process_has_open_is_refused(path: Path) -> None:
    with filling(path) as filler:
        filler.stdout.readline()
        says(path, "another process has this mailbox open")
    make(path)


async def test_a_file_that_is_open_here_is_refused_until_it_is_closed(path: Path) -> None:
    mailbox = FileMailbox(path, WIDE)
    says(path, "another process has this mailbox open")
    await fill(mailbox, letter(1))
    await mailbox.close()
    again = FileMailbox(path, WIDE)
    assert again.has("u", "qq")
    await again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
async def test_nobody_else_may_read_the_letters(path: Path) -> None:
    mailbox = FileMailbox(path, WIDE)
    await fill(mailbox, letter(1))
    modes = {one.name: one.stat().st_mode & 0o077 for one in path.parent.iterdir()}
    await mailbox.close()
    del modes["box.db-lock"]  # which holds no letter
    assert modes == {"box.db": 0, "box.db-wal": 0, "box.db-shm": 0}


def says(path: Path, text: str) -> None:
    """Opening fails with one line that names the file and has this text."""
    with pytest.raises(ConfigError) as refused:
        FileMailbox(path, WIDE)
    line = str(refused.value)
    assert line.startswith(f"{path}: ")
    assert text in line
    assert "\n" not in line
