"""Command lines as a user would give them, in this process."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest

from maim_message.cli.app import run


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands and catches what they write."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *argv: str) -> Ended:
        self._captured.readouterr()
        code = run(argv)
        return Ended(code, *self._captured.readouterr())

    async def aside(self, *argv: str) -> Ended:
        """Run a command in a thread, beside the services that this event loop runs."""
        self._captured.readouterr()
        code = await asyncio.to_thread(run, argv)
        return Ended(code, *self._captured.readouterr())
