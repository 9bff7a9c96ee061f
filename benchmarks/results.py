"""What a run measured, as a file: every sample, the machine, the date."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measuring import Options
from benchmarks.rounds import Samples

FOLDER = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Describe this machine, without its name."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "maim": version("maim-message"),
    }


def write(results: Mapping[str, Samples], options: Options, now: datetime) -> Path:
    """Write a file of its own for this run."""
    FOLDER.mkdir(exist_ok=True)
    written = {
        "date": now.astimezone(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "options": {"seconds": options.seconds, "rounds": options.rounds},
        "rows": {
            name: {system: [one.to_dict() for one in taken] for system, taken in samples.items()}
            for name, samples in results.items()
        },
    }
    path = FOLDER / f"{now:%Y-%m-%d-%H%M}-{os.cpu_count()}-cores.json"
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n")
    return path


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
