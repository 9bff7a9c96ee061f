"""nats-server over WebSocket."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

from benchmarks.process import Program, ProgramFailed, answers, free_port

CONFIG = """
host: 127.0.0.1
port: {port}
authorization {{ token: "bench" }}
websocket {{ host: 127.0.0.1, port: {websocket}, no_tls: true }}
"""


class Nats:
    """Needs the program `nats-server`."""

    load: ClassVar[dict[str, Any]] = {
        "wire": "benchmarks.field.wires:NatsWire",
        "server_acks": False,
    }

    def __init__(self) -> None:
        self._port, websocket = free_port(), free_port()
        self.url = f"ws://127.0.0.1:{websocket}"
        self._folder = tempfile.TemporaryDirectory()
        config = Path(self._folder.name) / "nats.conf"
        config.write_text(CONFIG.format(port=self._port, websocket=websocket))
        self._program = Program("server", found("nats-server"), "-c", config)
        self.programs = {"server": self._program}

    async def __aenter__(self) -> Self:
        await self._program.__aenter__()
        await answers(self._port, self._program)
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(b'CONNECT {"verbose":false,"auth_token":"bench"}\r\n')
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()
        await self._program.__aexit__(*error)
        self._folder.cleanup()

    async def broadcast(self, text: str) -> None:
        """Publish, and wait until the server has looked at it."""
        self._writer.write(b"PUB all %d\r\n%b\r\nPING\r\n" % (len(text), text.encode()))
        while await self._reader.readline() != b"PONG\r\n":
            pass

    async def handled(self) -> int | None:
        return None


def found(program: str) -> str:
    """Find a program; raises `ProgramFailed` that says how to get it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ProgramFailed(f"{program} is not installed: make bench-field")
    return path
