"""The mailbox on a disk that fails; each test in a process whose files may not grow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.router.mailbox import limited_disk

FILE = Path(limited_disk.__file__)
TESTS = [name for name in vars(limited_disk) if name.startswith("test_")]


@pytest.mark.parametrize("name", TESTS)
def test_a_disk_that_fails(name: str, tmp_path: Path, repository: Path) -> None:
    # No capture: it would go through a file too.
    options = ["-q", "-s", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'inside'}"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", f"{FILE}::{name}", *options],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " passed" in run.stdout
