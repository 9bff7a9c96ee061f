"""What every system under test can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from benchmarks.process import Program


class System(Protocol):
    """A running system; an async context manager."""

    @property
    def url(self) -> str:
        """Where clients connect."""

    @property
    def load(self) -> Mapping[str, Any]:
        """Fields of a `Plan` that its clients need."""

    @property
    def programs(self) -> Mapping[str, Program]:
        """Its processes by name: all of them count."""

    async def broadcast(self, text: str) -> None:
        """Send a text to every client, and return when it is on the sockets."""

    async def handled(self) -> int | None:
        """How many messages its handler has had; None where an ack says so."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...
