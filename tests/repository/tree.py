"""The files of this repository as a clone has them, found without git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("proto", "edge", "router", "client_sdk")
FOLDERS = (*PACKAGES, "tests", "examples", "benchmarks", "docs", "deploy", "requirements", ".ci")
LEFT_BEHIND = {"__pycache__", "node_modules", "certs", "secrets"}  # never committed


def files(*suffixes: str) -> Iterator[Path]:
    """Yield every file of the repository, of these suffixes if any are named."""
    found = [p for p in ROOT.iterdir() if p.is_file()]
    for folder in FOLDERS:
        found += [p for p in (ROOT / folder).rglob("*") if p.is_file()]
    for path in sorted(found):
        if LEFT_BEHIND.isdisjoint(path.parts) and (not suffixes or path.suffix in suffixes):
            yield path


def sources(*suffixes: str) -> Iterator[Path]:
    """Yield the files that people write: no generated code."""
    return (path for path in files(*suffixes) if "_pb2" not in path.name)


def named(path: Path, line: int | None = None) -> str:
    """Name a file from the root, with its line if there is one."""
    name = str(path.relative_to(ROOT))
    return name if line is None else f"{name}:{line}"
