"""How much memory there is for a process: the container's limit, else the machine's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def parse_share(text: str) -> float | int:
    """Read a number of bytes (an `int`) or a share such as `40%` (a `float` up to 1).

    Raises `ValueError` that says what was expected.
    """
    number = text.removesuffix("%").strip()
    if number.isascii() and number.isdigit():
        if number != text.strip():
            if 1 <= int(number) <= 100:
                return int(number) / 100
        elif int(number) >= 1:
            return int(number)
    raise ValueError("bytes, or a share of the memory such as 40%")


def bytes_of(text: str) -> int:
    """Return the bytes that `parse_share` means on this machine."""
    parsed = parse_share(text)
    return parsed if isinstance(parsed, int) else int(parsed * available_bytes())


def available_bytes(cgroups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Return the least of the machine's memory and the limits of the control groups above us.

    Where a system does not tell (Windows), it is as if there were no end of it.
    """
    if sys.platform == "win32":
        return sys.maxsize
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(cgroups, membership)])


def _limits(cgroups: Path, membership: Path) -> Iterator[int]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root, name = (
                (cgroups / "memory", "memory.limit_in_bytes")
                if controllers
                else (cgroups, "memory.max")
            )
            own = PurePosixPath(path.lstrip("/"))
            for group in (own, *own.parents):
                yield from _limit(root / group / name)


def _limit(file: Path) -> Iterator[int]:
    try:
        text = file.read_text().strip()
    except OSError:
        return
    if text.isdigit():
        yield int(text)
