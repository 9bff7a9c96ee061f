"""Virtual environments of what must not share ours, made once from pinned files."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import ROOT, ProgramFailed


@dataclass(frozen=True)
class Environment:
    """A folder beside the repository's own environment, and what is installed there."""

    name: str
    pins: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is; `.gitignore` knows the pattern."""
        return ROOT / f".venv-{self.name}"

    @property
    def interpreter(self) -> Path:
        """Its Python."""
        windows, posix = self.folder / "Scripts" / "python.exe", self.folder / "bin" / "python"
        return windows if sys.platform == "win32" else posix

    def is_made(self) -> bool:
        """Whether it is there, for this Python and these pins."""
        stamp = self.folder / ".made"
        return stamp.is_file() and stamp.read_text() == self._wanted()

    def make(self) -> None:
        """Make it unless it is there; raises `ProgramFailed`."""
        if self.is_made():
            return
        print(f"Making the environment {self.folder.name} (once)", file=sys.stderr, flush=True)
        self._run(sys.executable, "-m", "venv", "--clear", self.folder)
        pip = (self.interpreter, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
        for pins in self.pins:
            path = ROOT / "requirements" / pins
            self._run(*pip, "--no-build-isolation", "--require-hashes", "--requirement", path)
        (self.folder / ".made").write_text(self._wanted())

    def _wanted(self) -> str:
        files = b"".join((ROOT / "requirements" / name).read_bytes() for name in self.pins)
        return hashlib.sha256(sys.version.encode() + files).hexdigest()

    def _run(self, *argv: str | Path) -> None:
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ProgramFailed(f"the environment {self.folder.name} cannot be made: {last}")


PEER = Environment("peer", ("build.txt", "released_client.txt"))
FIELD = Environment("field", ("field.txt",))
