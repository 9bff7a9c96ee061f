"""maim-message 0.6.8 of PyPI, in an environment and a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from benchmarks.environments import PEER
from benchmarks.process import AnsweringProgram, Program, answers, free_port
from benchmarks.systems.pair import KEY

PROGRAM = Path(__file__).parent.parent / "peer_server.py"


class Peer:
    """The program `benchmarks/peer_server.py`, printing its debug lines or silenced."""

    load: ClassVar[dict[str, Any]] = {"key": KEY}

    def __init__(self, app: str = "relay", *, silenced: bool = False) -> None:
        self._port = free_port()
        self.url = f"ws://127.0.0.1:{self._port}/ws"
        logs = "silenced" if silenced else "asis"
        # -I, for the package of this repository must not be found.
        argv = (PEER.interpreter, "-I", PROGRAM, str(self._port), app, logs)
        self._program = AnsweringProgram("server", *argv)
        self.programs: dict[str, Program] = {"server": self._program}

    async def __aenter__(self) -> Self:
        await self._program.__aenter__()
        await answers(self._port, self._program)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._program.__aexit__(*error)

    async def broadcast(self, text: str) -> None:
        """Send to all."""
        await self._program.ask(f"broadcast {text}")

    async def handled(self) -> int | None:
        """It acknowledges before it handles, so only the handler itself can tell."""
        told: int = (await self._program.ask("handled"))["handled"]
        return told
