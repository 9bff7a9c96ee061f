"""Runs the code blocks of the usage guide as they stand, with what they leave undefined.

Changed in a block before it runs: its ports (18040 and 18044 belong to whoever runs the tests), the
address of every interface (tests stay on loopback), and the folder /path/to.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import socket
import time
from pathlib import Path
from typing import Any

import maim_message.client
import maim_message.message
import maim_message.server

BLOCKS = Path(__file__).parent / "blocks"
PATIENCE_SECONDS = 20.0


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def source(name: str, port: int = 0, folder: Path = Path()) -> str:
    """Return a block with the ports and folders of this test."""
    text = (BLOCKS / f"{name}.py").read_text()
    for theirs, ours in {
        "18040": str(port),
        "18044": str(port),
        "0.0.0.0": "127.0.0.1",  # noqa: S104 - this is what is replaced
        "create_server_config()": f"create_server_config(port={port})",
        "/path/to": str(folder),
    }.items():
        text = text.replace(theirs, ours)
    return text


class Printed:
    """Stands for `print`: keeps the lines, and tells when one comes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._more = asyncio.Event()

    def __call__(self, *words: object) -> None:
        self.lines.append(" ".join(map(str, words)))
        self._more.set()

    async def line(self, part: str) -> str:
        """Wait until a line with this part was printed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for line in self.lines:
                    if part in line:
                        return line
                self._more.clear()
                await self._more.wait()


class Names(dict[str, Any]):
    """The names of a block; remembers every value of each, for blocks that show alternatives."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.every: dict[str, list[Any]] = {}

    def __setitem__(self, name: str, value: Any) -> None:
        self.every.setdefault(name, []).append(value)
        super().__setitem__(name, value)


def prelude(**defined: Any) -> dict[str, Any]:
    """Return what the guide has imported by then, and `defined`."""
    names: dict[str, Any] = {"asyncio": asyncio, "logging": logging, "time": time}
    for module in (maim_message.message, maim_message.client, maim_message.server):
        names |= {name: getattr(module, name) for name in module.__all__}
    return names | {"logger": logging.getLogger("guide")} | defined


async def run(name: str, port: int = 0, folder: Path = Path(), **defined: Any) -> Names:
    """Run a block, which may await at its top level; returns its names."""
    names = Names()
    code = compile(source(name, port, folder), name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    around = prelude(**defined)
    result = eval(code, around, names)  # noqa: S307 - the code is this repository's own
    if inspect.isawaitable(result):
        await result
    around.update(names)  # functions of the block find each other
    return names
