"""maim-message 0.6.8 in a virtual environment of its own, driven line by line."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import needs
from tests.clients.program import Program

ROOT = Path(__file__).parent.parent.parent
PROGRAM = Path(__file__).with_name("released_client_program.py")
PINS = [ROOT / "requirements" / name for name in ("build.txt", "released_client.txt")]


def environment(cache: pytest.Cache) -> Path:
    """Make the environment unless it is there, and return its interpreter.

    It stays in pytest's cache until the pins or the Python change.
    """
    wanted = sys.version.encode() + b"".join(path.read_bytes() for path in PINS)
    folder = cache.mkdir(f"released_client_{hashlib.sha256(wanted).hexdigest()[:12]}")
    interpreter, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        for pins in PINS:
            install(interpreter, pins)
        made.touch()
    return interpreter


def install(interpreter: Path, pins: Path) -> None:
    pip = (interpreter, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    argv = (*pip, "--no-build-isolation", "--require-hashes", "--requirement", pins)
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    if ended.returncode:
        needs.missing(f"{pins.name} cannot be installed: {ended.stderr.strip()}")


class ReleasedClient(Program):
    """The program beside this file; its events are read, its commands written."""

    def __init__(self, interpreter: Path, url: str, api_key: str) -> None:
        settings = {"MAIM_URL": url, "MAIM_API_KEY": api_key, "MAIM_PLATFORM": "demo"}
        # -I, for the package of this repository must not be found.
        super().__init__(interpreter, "-I", PROGRAM, environment=settings)

    async def event(self, name: str, number: int = 1) -> dict[str, Any]:
        """Wait for the n-th event of a name."""

        def look() -> dict[str, Any] | None:
            named = self.events(name)
            return named[number - 1] if len(named) >= number else None

        found: dict[str, Any] = await self.found(look)
        return found

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.frames if event["event"] == name]

    def send(self, text: str, receiver: str = "bob", platform: str = "demo") -> None:
        self.tell(do="send", text=text, receiver=receiver, platform=platform)

    def send_custom(self, type: str, payload: dict[str, Any]) -> None:
        self.tell(do="custom", type=type, payload=payload)
