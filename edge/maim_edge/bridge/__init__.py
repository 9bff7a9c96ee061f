"""How an edge reaches its router."""

from maim_edge.bridge.interface import Bridge
from maim_edge.bridge.local import LocalBridge

__all__ = ["Bridge", "LocalBridge"]
