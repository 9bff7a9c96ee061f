"""Autobahn's fuzzing client against a server, and what it found."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import needs

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "autobahn"
REPORTS = ROOT / "build" / "compliance"
# 12 and 13 are about compression.
COMPRESSION = ("12.*", "13.*")
# All of a run; 9.* alone moves some hundred MiB.
SECONDS = 600.0
FAILED = frozenset({"FAILED", "UNCLEAN", "WRONG CODE", "FAILED BY CLIENT"})


@dataclass(frozen=True, slots=True)
class Findings:
    """Cases by what Autobahn says of their behaviour and of how the connection was closed."""

    behaviour: dict[str, list[str]]
    close: dict[str, list[str]]

    @property
    def cases(self) -> int:
        """How many cases ran."""
        return sum(map(len, self.behaviour.values()))

    @property
    def failed(self) -> list[str]:
        """The cases that no server may fail."""
        return [case for verdict in sorted(FAILED) for case in self.behaviour.get(verdict, [])]

    @property
    def failed_closing(self) -> list[str]:
        """The cases whose connection was closed in a way that no server may close one."""
        return [case for verdict in sorted(FAILED) for case in self.close.get(verdict, [])]


async def fuzz(agent: str, url: str, excluded: Sequence[str] = ()) -> Findings:
    """Run every case against a server; the report is kept in `build/compliance/AGENT`."""
    folder = REPORTS / agent
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    spec = {
        "outdir": str(folder),
        "servers": [{"agent": agent, "url": url}],
        "cases": ["*"],
        "exclude-cases": [*COMPRESSION, *excluded],
        "exclude-agent-cases": {},
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    await _wstest("-m", "fuzzingclient", "-s", str(folder / "spec.json"))
    return _findings(json.loads((folder / "index.json").read_text())[agent])


async def _wstest(*arguments: str) -> None:
    starter = Path(__file__).with_name("python2_wstest.py")
    process = await asyncio.create_subprocess_exec(
        *(_python2(), str(starter), str(PACKAGES), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, output.decode(errors="replace")[-2000:]


def _python2() -> str:
    python = os.environ.get("PYTHON27", "")
    if not python or not (PACKAGES / "autobahntestsuite").is_dir():
        needs.missing("Autobahn needs a Python 2.7: make test-compliance PYTHON27=python2.7")
    return python


def _findings(index: dict[str, dict[str, str]]) -> Findings:
    behaviour: dict[str, list[str]] = defaultdict(list)
    close: dict[str, list[str]] = defaultdict(list)
    for case, found in index.items():
        behaviour[found["behavior"]].append(case)
        close[found["behaviorClose"]].append(case)
    return Findings(dict(behaviour), dict(close))
