"""`GrpcBridge`: the bridge over `maim.v1.Bridge/Attach`, carried by grpcio."""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_edge.bridge.grpc.stream import Credentials, GrpcBridge

__all__ = ["Credentials", "GrpcBridge"]
