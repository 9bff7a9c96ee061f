"""The contract as its linter sees it; `make proto-check` tells whether its code is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_contract_passes_buf_lint(repository: Path) -> None:
    buf = Path(sys.executable).parent / "buf"
    lint = subprocess.run(
        [buf, "lint"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert lint.returncode == 0, lint.stdout + lint.stderr
