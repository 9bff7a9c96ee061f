"""A file that a router was killed over, and a disk that fails, are told as what they are."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from maim_router.mailbox import FileMailbox
from tests.router.mailbox.contract import WIDE, fill, letter, put

COMMITS = 20


@pytest.fixture
async def left(tmp_path: Path) -> Path:
    """The files as they are when the router's machine loses its power."""
    path = tmp_path / "box.db"
    mailbox = FileMailbox(path, WIDE)
    for number in range(COMMITS):
        await fill(mailbox, letter(number))
    taken = copied(tmp_path)
    await mailbox.close()
    return taken / "box.db"


def copied(folder: Path) -> Path:
    """The files of a folder in another one, as they are now."""
    taken = folder / "taken"
    taken.mkdir()
    for file in folder.glob("box.db*"):
        shutil.copy(file, taken)
    return taken


def remove(*paths: str) -> None:
    for path in paths:
        Path(path).unlink()


def damage(path: str) -> None:
    """Change a bit behind two thirds of a file."""
    data = bytearray(Path(path).read_bytes())
    data[len(data) * 2 // 3] ^= 1
    Path(path).write_bytes(data)


async def opened(path: Path, caplog: pytest.LogCaptureFixture) -> tuple[int, str]:
    """How many letters there are, and what opening says."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        mailbox = FileMailbox(path, WIDE)
    letters = mailbox.messages
    await mailbox.close()
    return letters, caplog.text


async def test_after_a_power_cut_everything_is_there(
    left: Path, caplog: pytest.LogCaptureFixture
) -> None:
    letters, said = await opened(left, caplog)
    assert letters == COMMITS
    assert f"it was not closed; what was stored is there; {COMMITS} letters" in said
    assert await opened(left, caplog) == (COMMITS, "")


async def test_a_missing_log_is_told(left: Path, caplog: pytest.LogCaptureFixture) -> None:
    remove(f"{left}-wal", f"{left}-shm")
    # The tables were in the log too, for nothing has been checkpointed.
    _, said = await opened(left, caplog)
    assert "its write-ahead log is missing: what was in that is lost" in said


async def test_a_damaged_log_is_told(left: Path, caplog: pytest.LogCaptureFixture) -> None:
    damage(f"{left}-wal")
    letters, said = await opened(left, caplog)
    assert 0 < letters < COMMITS
    assert "its write-ahead log is damaged behind page" in said


async def test_a_disk_that_fails_is_told_until_it_takes_letters_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = FileMailbox(tmp_path / "box.db", WIDE)
    await fill(mailbox, letter(1))
    assert mailbox.failure is None
    writer = mailbox._disk._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count = {pages}")
    assert not await put(mailbox, letter(2, payload=b"x" * 100_000))
    assert mailbox.failure == "the disk of the mailbox fails: database or disk is full"
    writer.execute("PRAGMA max_page_count = 1000000")
    mailbox.expire(0)
    await fill(mailbox, letter(3))
    assert mailbox.failure is None
    await mailbox.close()
