"""A WebSocket server under uvicorn: upgrade, frames, keepalive, hand-over to a listener.

Knows nothing of our product and imports nothing of it; `picows` and `sansio` are two
implementations of one interface.
"""

from maim_edge.websocket.asgi_socket import AsgiSocket, ClientLeft
from maim_edge.websocket.http_protocol import EdgeHttpProtocol
from maim_edge.websocket.interface import (
    INVALID_DATA,
    MEMORY_IS_TAKEN,
    PIECE_BYTES,
    UNCHECKED_BYTES,
    DirectSocket,
)
from maim_edge.websocket.memory_budget import UNCOUNTED_BYTES, MemoryBudget
from maim_edge.websocket.picows import PicowsProtocol
from maim_edge.websocket.sansio import EdgeWebSocketProtocol
from maim_edge.websocket.utf8 import is_utf8

__all__ = [
    "INVALID_DATA",
    "MEMORY_IS_TAKEN",
    "PIECE_BYTES",
    "UNCHECKED_BYTES",
    "UNCOUNTED_BYTES",
    "AsgiSocket",
    "ClientLeft",
    "DirectSocket",
    "EdgeHttpProtocol",
    "EdgeWebSocketProtocol",
    "MemoryBudget",
    "PicowsProtocol",
    "is_utf8",
]
