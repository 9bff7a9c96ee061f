"""One thing that `maim doctor` looked at: whether it is well, and what to do if not."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says what is, `remedy` what to do when it is not `ok`."""

    subject: str
    ok: bool
    text: str
    remedy: str = ""

    def line(self) -> str:
        """Return it as one line."""
        mark = "ok     " if self.ok else "PROBLEM"
        return f"{mark} {self.subject}: {self.text}" + (f"; {self.remedy}" if self.remedy else "")


def check_private(subject: str, path: Path) -> Iterator[Finding]:
    """Check that only its owner reads a file; Windows has other means."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield Finding(subject, False, f"others may read {path} ({mode:o})", f"chmod 600 {path}")
