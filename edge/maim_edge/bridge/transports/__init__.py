"""What carries bridge frames: our HTTP/2 stream, grpcio, or queues when both share a process.

The edge sees the generated code here only.
"""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_edge.bridge.transports.factories import make_grpc_bridge, make_http2_bridge
from maim_edge.bridge.transports.interface import Bridge
from maim_edge.bridge.transports.local import LocalBridge

__all__ = ["Bridge", "LocalBridge", "make_grpc_bridge", "make_http2_bridge"]
