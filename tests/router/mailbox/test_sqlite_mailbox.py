"""The mailbox in a file keeps the contract, and its letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from maim_router.mailbox import Bounds, FileMailbox
from tests.router.mailbox.contract import WIDE, MailboxContract, OpenWith, fill, letter, put
from tests.router.mailbox.filler import filling


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "box.db"


@pytest.fixture
async def open_with(path: Path) -> AsyncIterator[Callable[[Bounds], FileMailbox]]:
    """Opens mailboxes, which are closed in the end."""
    opened: list[FileMailbox] = []

    def open_with(bounds: Bounds) -> FileMailbox:
        opened.append(FileMailbox(path, bounds))
        return opened[-1]

    yield open_with
    for mailbox in opened:
        await mailbox.close()


@pytest.fixture
def mailbox(open_with: Callable[[Bounds], FileMailbox]) -> FileMailbox:
    """A mailbox with room."""
    return open_with(WIDE)


class TestFileMailbox(MailboxContract):
    """In SQLite."""


async def test_letters_survive_reopening(open_with: OpenWith, mailbox: FileMailbox) -> None:
    letters = [letter(3), letter(1, expires_at=5.0), letter(2, platform="wx", payload=b"\0\xff")]
    await fill(mailbox, *letters)
    await mailbox.close()
    again = open_with(WIDE)
    assert again.boxes() == [("u", "qq"), ("u", "wx")]
    assert list(again.numbers("u", "qq")) == [1, 3]
    assert again.read("u", "qq", [3, 1]) + again.read("u", "wx", [2]) == letters
    assert (again.messages, again.bytes, again.usage("u", "qq")) == (3, 18, (2, 16))
    assert again.expire(5.0) == [("u", "qq", 1, "m1")]


async def test_removed_and_expired_letters_do_not_come_back(
    open_with: OpenWith, mailbox: FileMailbox
) -> None:
    await fill(mailbox, letter(1), letter(2, expires_at=1.0), letter(3))
    mailbox.remove("u", "qq", [1])
    mailbox.expire(1.0)
    heard = put(mailbox, letter(4))
    mailbox.remove("u", "qq", [4])
    await mailbox.close()
    assert heard.result()
    assert list(open_with(WIDE).numbers("u", "qq")) == [3]


async def test_a_removed_number_that_came_again_is_the_later_one(
    open_with: OpenWith, mailbox: FileMailbox
) -> None:
    await fill(mailbox, letter(1))
    mailbox.remove("u", "qq", [1])
    put(mailbox, letter(1, payload=b"later"))
    await mailbox.close()
    assert open_with(WIDE).read("u", "qq", [1]) == [letter(1, payload=b"later")]


async def test_what_was_stored_survives_kill_9(open_with: OpenWith, path: Path) -> None:
    with filling(path) as filler:
        told = [filler.stdout.readline() for _ in range(200)]
        filler.kill()
        told += filler.stdout.readlines()
    mailbox = open_with(WIDE)
    numbers = mailbox.numbers("u", "qq")
    assert {int(line) for line in told if line.endswith(b"\n")} <= set(numbers)
    assert mailbox.read("u", "qq", numbers) == [letter(number) for number in numbers]


async def test_a_letter_of_100_mib_comes_back(open_with: OpenWith, mailbox: FileMailbox) -> None:
    large = letter(1, payload=b"\xe5" * (100 * 1024 * 1024))
    await fill(mailbox, large)
    await mailbox.close()
    assert open_with(WIDE).read("u", "qq", [1]) == [large]


async def test_a_waiter_that_raises_harms_no_other(mailbox: FileMailbox) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told_of: told.append(told_of))
    mailbox.put(letter(1), lambda _: 1 / 0)
    await fill(mailbox, letter(2), letter(3))
    assert len(told) == 1
    assert await put(mailbox, letter(1))
