"""Programs that a test needs: named and skipped where they are missing, a failure where CI=true."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import pytest

BESIDE_PYTHON = Path(sys.executable).parent  # console scripts of the virtual environment


def program(name: str, remedy: str) -> Path:
    """Find a program, e.g. `program("node", "apt-get install nodejs")`."""
    found = shutil.which(name, path=f"{BESIDE_PYTHON}{os.pathsep}{os.environ['PATH']}")
    return Path(found) if found else missing(f"{name} is not installed; {remedy}")


def missing(what: str) -> NoReturn:
    """End the test for want of something that CI promises to have."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
