"""The wheel of this tree, and virtual environments that hold what is installed there alone."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path


def build_wheel(repository: Path, into: Path) -> Path:
    """Build the wheel with what is installed here; fetches nothing."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-build-isolation", "--no-deps"]
    subprocess.run([*command, str(repository), "--wheel-dir", str(into)], check=True, timeout=120)
    return next(into.glob("*.whl"))


class Environment:
    """An empty virtual environment."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.bin = folder / "bin"

    def install(self, *requirements: str) -> None:
        """Install from the package index."""
        self.run("-m", "pip", "install", "-q", "--disable-pip-version-check", *requirements)

    def packages(self) -> set[str]:
        """Name what is installed beside pip."""
        listed = self.run("-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
        return {line.partition("==")[0] for line in listed.split()} - {"pip", "setuptools"}

    def run(self, *argv: str) -> str:
        """Run its Python and return what it says on stdout."""
        ended = self.ended(*argv)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def ended(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run its Python, however that ends."""
        command = [str(self.bin / "python"), *argv]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
