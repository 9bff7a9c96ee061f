"""Autobahn's fuzzing client: Python 2.7, its packages under `build/`, and a run of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests import needs

ROOT = Path(__file__).parent.parent.parent
PINS = ROOT / "requirements" / "autobahn.txt"
PACKAGES = ROOT / "build" / "autobahn"
REPORTS = ROOT / "build" / "compliance"
RUN = (
    "import site; site.addsitedir('.'); from autobahntestsuite.wstest import run; "
    "import sys; sys.argv[0] = 'wstest'; run()"
)
# Compression, which picows does not have.
LEFT_OUT = ["12.*", "13.*"]
# What is sent in binary frames: a listener does not learn that, and cannot answer in kind.
BINARY = ["1.2.*", "9.2.*", "9.4.*", "9.6.*", "9.8.*"]

Report = dict[str, dict[str, Any]]


def python27() -> Path:
    """Find a Python 2.7 with pip, on PATH or among those of pyenv."""
    found = [Path(path)] if (path := shutil.which("python2.7")) else []
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True).stdout
        found += sorted(Path(root.strip()).glob("versions/2.7.*/bin/python2.7"), reverse=True)
    for python in found:
        asked = subprocess.run([python, "-c", "import pip, ssl"], capture_output=True, check=False)
        if asked.returncode == 0:
            return python
    needs.missing("Python 2.7 with pip is not here, and Autobahn needs it; pyenv install 2.7.18")


def install() -> Path:
    """Install the pinned packages, once for each set of pins; returns the Python to run."""
    python = python27()
    stamp = PACKAGES / ".pins"
    digest = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return python
    shutil.rmtree(PACKAGES, ignore_errors=True)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    argv = [*pip, "--require-hashes", "--target", PACKAGES, "--requirement", PINS]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    stamp.write_text(digest)
    return python


def fuzz(python: Path, addresses: dict[str, str], direct: list[str], seconds: float) -> Report:
    """Test the servers at these addresses; returns what Autobahn says, by agent and case.

    `direct` are the agents that answer in text whatever they were sent. The pages for reading
    are in `build/compliance/index.html`.
    """
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    specification = REPORTS / "specification.json"
    specification.write_text(
        json.dumps(
            {
                "outdir": str(REPORTS),
                "servers": [{"agent": name, "url": url} for name, url in addresses.items()],
                "cases": ["*"],
                "exclude-cases": LEFT_OUT,
                "exclude-agent-cases": {name: BINARY for name in direct},
            }
        )
    )
    argv = [python, "-c", RUN, "--mode", "fuzzingclient", "--spec", specification]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with (REPORTS / "fuzzing_client.log").open("w") as log:
        subprocess.run(
            argv, cwd=PACKAGES, env=environment, stdout=log, stderr=log, timeout=seconds, check=True
        )
    report: Report = json.loads((REPORTS / "index.json").read_text())
    return report
