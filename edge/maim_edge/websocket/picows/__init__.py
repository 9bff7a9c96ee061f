"""The WebSocket protocol class on picows, the default; it offers no compression."""

from maim_edge.websocket.picows.protocol import PicowsProtocol

__all__ = ["PicowsProtocol"]
