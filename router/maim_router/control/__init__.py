"""`maim.v1.Router`: the control API over a node, for operators, backends and grpcurl.

Imports the node and what it stands on.
"""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_router.control.errors import CallError, abort, bad_field, with_reason
from maim_router.control.service import ControlService

__all__ = ["CallError", "ControlService", "abort", "bad_field", "with_reason"]
