"""A process that fills a mailbox and says which letters are stored, until somebody kills it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from maim_router.mailbox import FileMailbox
from tests.router.mailbox.contract import WIDE, letter


class Filler(NamedTuple):
    """The process, seen from outside."""

    process: subprocess.Popen[bytes]
    stdout: IO[bytes]

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        self.process.kill()


@contextmanager
def filling(path: Path) -> Iterator[Filler]:
    """Start it, and kill it in the end."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "tests.router.mailbox.filler", str(path)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield Filler(process, process.stdout)
        finally:
            process.kill()


def say(number: int, stored: bool) -> None:
    """Tell a number in one write, so that no half of it is read."""
    if stored:
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


async def fill_for_ever(path: str) -> None:
    """Put letters in order; several wait at any time."""
    mailbox = FileMailbox(path, WIDE)
    places = asyncio.Semaphore(20)
    number = 0
    while True:
        await places.acquire()

        def heard(stored: bool, number: int = number) -> None:
            say(number, stored)
            places.release()

        mailbox.put(letter(number), heard)
        number += 1


if __name__ == "__main__":
    asyncio.run(fill_for_ever(sys.argv[1]))
