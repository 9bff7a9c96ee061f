"""The edge's side of the bridge: attaches to a router, keeps what is not settled, attaches again.

Imports dialects and the protocol; what carries the frames is in `transports`.
"""

from maim_edge.bridge.attach import Identity, new_epoch
from maim_edge.bridge.client import BridgeClient
from maim_edge.bridge.downlink import OVER, WRITTEN, Downlink, Receipt
from maim_edge.bridge.transports import Bridge, LocalBridge, make_grpc_bridge, make_http2_bridge

__all__ = [
    "OVER",
    "WRITTEN",
    "Bridge",
    "BridgeClient",
    "Downlink",
    "Identity",
    "LocalBridge",
    "Receipt",
    "make_grpc_bridge",
    "make_http2_bridge",
    "new_epoch",
]
