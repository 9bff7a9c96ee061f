"""`GrpcBridge`: the bridge over `maim.v1.Bridge/Attach`; the only place of the edge with pb2."""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_edge.bridge.grpc.stream import Credentials, GrpcBridge

__all__ = ["Credentials", "GrpcBridge"]
