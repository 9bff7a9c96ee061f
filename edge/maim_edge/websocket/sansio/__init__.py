"""The WebSocket protocol class on websockets' sans-I/O core, which knows compression."""

from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol

__all__ = ["EdgeWebSocketProtocol"]
