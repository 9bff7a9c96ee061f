"""The router on gRPC: the bridge for edges, the control API, health and reflection."""

import os

# gRPC's core writes lines of its own to stderr, e.g. when an edge process is started.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
