"""What the mailbox in a file does when the disk fails: run by test_disk, in a process of its own.

The limit on the size of files holds for all that a process writes, a log among it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from maim_router.mailbox import FileMailbox
from maim_router.mailbox.sqlite_store import Disk
from tests.router.mailbox.contract import WIDE, fill, letter, put

SMALL_DISK = 256 * 1024
NO_LIMIT = -1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "box.db"


@pytest.fixture
async def mailbox(path: Path) -> AsyncIterator[FileMailbox]:
    """A mailbox with room."""
    mailbox = FileMailbox(path, WIDE)
    yield mailbox
    await mailbox.close()


@pytest.fixture
def limit_files() -> Iterator[Callable[[int], None]]:
    """Sets how large files of this process may grow: the disk is full there."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit_files(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit_files
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_refuses_letters_and_the_mailbox_goes_on_when_there_is_room(
    mailbox: FileMailbox, limit_files: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    large = letter(3, payload=bytes(2 * SMALL_DISK))
    await fill(mailbox, letter(1))
    limit_files(SMALL_DISK)
    heard = [put(mailbox, one) for one in (large, large, letter(4))]
    assert await asyncio.gather(*heard) == [False, False, False]
    assert not await put(mailbox, large, acknowledged=True)
    assert list(mailbox.numbers("u", "qq")) == [1]
    assert mailbox.bytes == len(letter(1).payload)
    await fill(mailbox, letter(4))
    limit_files(NO_LIMIT)
    await fill(mailbox, large)
    assert mailbox.read("u", "qq", [1, 3, 4]) == [letter(1), large, letter(4)]
    (error,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert "box.db: the disk failed a mailbox: " in error


async def test_a_removal_is_made_although_the_letter_beside_it_has_no_room(
    mailbox: FileMailbox, limit_files: Callable[[int], None], path: Path
) -> None:
    await fill(mailbox, letter(1))
    limit_files(SMALL_DISK)
    mailbox.remove("u", "qq", [1])
    assert not await put(mailbox, letter(2, payload=bytes(2 * SMALL_DISK)))
    assert stored_numbers(path) == []


async def test_a_removal_that_failed_is_made_when_the_mailbox_is_used_again(
    mailbox: FileMailbox, limit_files: Callable[[int], None], path: Path
) -> None:
    await fill(mailbox, letter(1), letter(2))
    limit_files(0)
    mailbox.remove("u", "qq", [1])
    assert not await put(mailbox, letter(3))
    assert list(mailbox.numbers("u", "qq")) == [2]
    assert stored_numbers(path) == [1, 2]
    limit_files(NO_LIMIT)
    await fill(mailbox, letter(4))
    assert stored_numbers(path) == [2, 4]


async def test_a_letter_removed_before_the_disk_refused_it_is_as_safe_as_can_be(
    mailbox: FileMailbox, limit_files: Callable[[int], None]
) -> None:
    limit_files(0)
    heard = put(mailbox, letter(1))
    other = put(mailbox, letter(2))
    # The write begins at the end of this turn, before what is called now.
    asyncio.get_running_loop().call_soon(mailbox.remove, "u", "qq", [1])
    assert await asyncio.gather(heard, other) == [True, False]


async def test_a_failing_disk_is_logged_once_a_minute_at_most(
    path: Path, limit_files: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    times = iter((0.0, 59.9, 60.0, 119.9, 120.0))
    mailbox = FileMailbox(path, WIDE, clock=lambda: next(times))
    limit_files(0)
    lines = []
    for number in range(5):
        assert not await put(mailbox, letter(number))
        lines.append(len(caplog.records))
    limit_files(NO_LIMIT)
    await mailbox.close()
    assert lines == [1, 1, 2, 2, 3]


async def test_what_cannot_be_read_is_left_out_and_said(
    mailbox: FileMailbox, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(mailbox, letter(1, expires_at=1.0))
    with closing(sqlite3.connect(path)) as other:
        other.execute("DROP TABLE letter")
    assert mailbox.read("u", "qq", [1]) == []
    assert mailbox.expire(1.0) == [("u", "qq", 1, "")]
    assert "no such table" in caplog.text


@pytest.mark.parametrize("count", [1, 255, 256, 257, 1_000])
def test_many_letters_are_written_and_removed_in_a_few_statements(path: Path, count: int) -> None:
    letters = [letter(number, user_id=f"u{number % 7}") for number in range(count)]
    places = [(one.user_id, one.platform, one.number) for one in letters]
    with closing(Disk(path)) as disk:
        assert all(disk.write([], letters).stored)
        assert [disk.read(place) for place in places] == letters
        assert disk.write([*places[1:], ("u", "qq", -1)], []).removed
        assert stored_numbers(path) == [0]


def test_large_letters_go_in_statements_of_their_own(path: Path) -> None:
    large = [letter(number, payload=bytes(3 * 1024 * 1024)) for number in range(5)]
    with closing(Disk(path)) as disk:
        assert all(disk.write([], large).stored)
        assert stored_numbers(path) == [0, 1, 2, 3, 4]


async def test_a_letter_that_no_disk_takes_harms_no_other(path: Path) -> None:
    with closing(Disk(path)) as disk:
        written = disk.write([], [letter(1), letter(1 << 63), letter(2)])
        assert written.stored == [True, False, True]
        assert isinstance(written.error, OverflowError)
        assert disk.read(("u", "qq", 2)) == letter(2)


def stored_numbers(path: Path) -> list[int]:
    """What is in the file, seen from outside."""
    with closing(sqlite3.connect(path)) as other:
        rows = other.execute("SELECT number FROM letter ORDER BY number").fetchall()
    return [number for (number,) in rows]
