"""What all WebSockets on picows of one server have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maim_edge.websocket.keepalive import Keepalive


@dataclass(frozen=True, slots=True)
class ServerContext:
    """Who is connected, who looks after them, and how large a message may be, in bytes."""

    connections: set[Any]
    keepalive: Keepalive | None
    max_size: int
