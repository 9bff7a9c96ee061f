"""This project as a library: router and edge in one process, over `LocalBridge`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from benchmarks.process import AnsweringProgram, Program, free_port
from benchmarks.systems.pair import KEY

PROGRAM = Path(__file__).parent.parent / "local_server.py"


class Local:
    """The program `benchmarks/local_server.py`."""

    load: ClassVar[dict[str, Any]] = {"key": KEY}

    def __init__(self, app: str = "relay", settings: Mapping[str, str] | None = None) -> None:
        port = free_port()
        self.url = f"ws://127.0.0.1:{port}/ws"
        argv = (sys.executable, "-m", "benchmarks.local_server", str(port), app)
        self._program = AnsweringProgram("server", *argv, environment=dict(settings or {}))
        self.programs: dict[str, Program] = {"server": self._program}

    async def __aenter__(self) -> Self:
        await self._program.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._program.__aexit__(*error)

    async def broadcast(self, text: str) -> None:
        """Send to all with `broadcast_message`."""
        await self._program.ask(f"broadcast {text}")

    async def handled(self) -> int | None:
        """An ack says so."""
        return None
