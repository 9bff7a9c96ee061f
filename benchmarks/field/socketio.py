"""python-socketio on uvicorn, in an environment and a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from benchmarks.environments import FIELD
from benchmarks.process import AnsweringProgram, ProgramFailed, answers, free_port

PROGRAM = Path(__file__).with_name("socketio_server.py")


class SocketIo:
    """Needs the environment of requirements/field.txt."""

    load: ClassVar[dict[str, Any]] = {
        "wire": "benchmarks.field.wires:SocketIoWire",
    }

    def __init__(self) -> None:
        if not FIELD.is_made():
            raise ProgramFailed("python-socketio is not installed: make bench-field")
        self._port = free_port()
        self.url = f"ws://127.0.0.1:{self._port}/socket.io/"
        argv = (FIELD.interpreter, "-I", PROGRAM, str(self._port))
        self._program = AnsweringProgram("server", *argv)
        self.programs = {"server": self._program}

    async def __aenter__(self) -> Self:
        await self._program.__aenter__()
        await answers(self._port, self._program)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._program.__aexit__(*error)

    async def broadcast(self, text: str) -> None:
        """Emit to all."""
        await self._program.ask(f"broadcast {text}")

    async def handled(self) -> int | None:
        return None
