"""The committed code of the contract is what its .proto files generate."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_generated_code_is_current(repository: Path) -> None:
    check = subprocess.run(
        [sys.executable, repository / "proto" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stderr


def test_the_contract_passes_buf_lint(repository: Path) -> None:
    buf = Path(sys.executable).parent / "buf"
    lint = subprocess.run(
        [buf, "lint"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
