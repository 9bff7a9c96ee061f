"""What all WebSockets on picows of one server have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maim_edge.websocket.keepalive import Keepalive
from maim_edge.websocket.memory_budget import MemoryBudget


@dataclass(frozen=True, slots=True)
class ServerContext:
    """Who is connected, who looks after them, how large a message may be, and all of them."""

    connections: set[Any]
    keepalive: Keepalive | None
    max_size: int
    memory: MemoryBudget
