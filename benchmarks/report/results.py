"""What a run measured, as a file: every sample, the machine, the date."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from benchmarks.measuring import Options
from benchmarks.rounds import Samples
from benchmarks.sample import Sample

FOLDER = Path(__file__).parent.parent / "results"
LATEST = FOLDER / "latest.json"
DIGITS = 4


@dataclass(frozen=True)
class Run:
    """Samples by row and system, and where and when they were taken."""

    date: str
    machine: dict[str, Any]
    options: Options
    rows: dict[str, Samples]

    @classmethod
    def now(cls, rows: dict[str, Samples], options: Options) -> Self:
        """Say that it was here and now."""
        date = datetime.now(UTC).isoformat(timespec="minutes")
        return cls(date, describe_machine(), options, rows)

    def heading(self) -> str:
        """Say where, when and how it was measured."""
        machine = self.machine
        place = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
        how = f"{self.options.rounds} rounds of {self.options.seconds:g} s"
        when = f"{self.date[:10]}, {place}, Python {machine['python']}"
        return f"{when}, {how}; median (least to most)."


def describe_machine() -> dict[str, Any]:
    """Describe this machine, without its name."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
        "maim": version("maim-message"),
    }


def write(run: Run) -> Path:
    """Write a file of its own for a run."""
    FOLDER.mkdir(exist_ok=True)
    stamp = run.date[:16].replace(":", "")
    path = FOLDER / f"{stamp}-{run.machine['cores']}-cores.json"
    path.write_text(json.dumps(_plain(asdict(run)), ensure_ascii=False) + "\n")
    return path


def read(path: Path) -> Run:
    """Read what `write` wrote."""
    written = json.loads(path.read_text())
    rows = {
        name: {system: [Sample(**one) for one in taken] for system, taken in samples.items()}
        for name, samples in written["rows"].items()
    }
    return Run(written["date"], written["machine"], Options(**written["options"]), rows)


def _plain(value: Any) -> Any:
    """Keep of every number the digits that mean something."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case list():
            return [_plain(one) for one in value]
        case _:
            return value


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
