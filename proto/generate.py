"""Generates the Python code of the contract, or checks that what is committed is current.

Run by `make proto` and `make proto-check`. The generators are pinned in requirements/proto.txt, so
that everybody's output is the same; they have an environment of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
CONTRACT = Path("maim_protocol", "v1")
PLUGINS = Path(sys.executable).parent


def generate(into: Path) -> None:
    """Write messages, stubs and their types for every .proto file below `into`."""
    command = [
        sys.executable,
        *("-m", "grpc_tools.protoc", f"--proto_path={ROOT}"),
        f"--plugin=protoc-gen-mypy={PLUGINS / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={PLUGINS / 'protoc-gen-mypy_grpc'}",
        f"--python_out={into}",
        f"--grpc_python_out={into}",
        f"--mypy_out=quiet:{into}",
        f"--mypy_grpc_out=quiet,only_async:{into}",
        *(str(proto) for proto in sorted((ROOT / CONTRACT).glob("*.proto"))),
    ]
    subprocess.run(command, check=True)  # noqa: S603 - every word of it is from this file


def generated(folder: Path) -> dict[str, bytes]:
    """Map the name of every generated file in `folder` to its bytes."""
    return {path.name: path.read_bytes() for path in folder.glob("*_pb2*.py*")}


def stale() -> list[str]:
    """Name the generated files that are missing, outdated or without a .proto file."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = generated(Path(scratch, CONTRACT))
    committed = generated(ROOT / CONTRACT)
    return sorted(n for n in fresh | committed if fresh.get(n) != committed.get(n))


def main() -> int:
    """Generate, or with --check only compare; the exit status tells whether all is current."""
    if sys.argv[1:] != ["--check"]:
        generate(ROOT)
        return 0
    outdated = stale()
    if outdated:
        print(f"Outdated: {', '.join(outdated)}; run `make proto`.", file=sys.stderr)
    return int(bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
