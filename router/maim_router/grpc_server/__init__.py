"""The router's port: bridge over grpcio and our HTTP/2, control API, health and reflection.

Tells the two apart (`port_multiplexer`); checks tokens (`access`). Imports node and control.
"""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_router.grpc_server.access import Authenticate, Token
from maim_router.grpc_server.listening import ServerTls
from maim_router.grpc_server.server import RouterService, ServiceOptions

__all__ = ["Authenticate", "RouterService", "ServerTls", "ServiceOptions", "Token"]
