"""The connections of this process: by handle, counted by client address. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from maim_edge.handshake import HandshakeRefused
from maim_protocol.errors import Refusal


class HasHandle(Protocol):
    """What holds a place."""

    @property
    def handle(self) -> int:
        """The number of its place."""


C = TypeVar("C", bound=HasHandle)


class ConnectionRegistry(Generic[C]):
    """Places for connections, from the handshake on. Handles are never used twice."""

    def __init__(self, limit: int, limit_per_ip: int) -> None:
        self._limit = limit
        self._limit_per_ip = limit_per_ip
        self._connections: dict[int, C] = {}
        self._addresses: dict[int, str] = {}
        self._per_ip: Counter[str] = Counter()
        self._handle = 0

    def __len__(self) -> int:
        return len(self._addresses)

    def __iter__(self) -> Iterator[C]:
        return iter(list(self._connections.values()))

    def enter(self, client_ip: str) -> int:
        """Take a place; raises `HandshakeRefused` when there is none."""
        if len(self._addresses) >= self._limit:
            text = f"this server holds its {self._limit} connections; try again later"
            raise HandshakeRefused(Refusal.TOO_MANY_CONNECTIONS, text)
        if self._limit_per_ip and self._per_ip[client_ip] >= self._limit_per_ip:
            text = f"this address holds its {self._limit_per_ip} connections"
            raise HandshakeRefused(Refusal.TOO_MANY_CONNECTIONS, text)
        self._handle += 1
        self._addresses[self._handle] = client_ip
        self._per_ip[client_ip] += 1
        return self._handle

    def add(self, connection: C) -> None:
        """Put a connection on the place of its handle."""
        self._connections[connection.handle] = connection

    def get(self, handle: int) -> C | None:
        """Look a connection up."""
        return self._connections.get(handle)

    def leave(self, handle: int) -> None:
        """Give a place back."""
        self._connections.pop(handle, None)
        client_ip = self._addresses.pop(handle)
        self._per_ip[client_ip] -= 1
        if not self._per_ip[client_ip]:
            del self._per_ip[client_ip]
