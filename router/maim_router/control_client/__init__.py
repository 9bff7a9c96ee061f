"""A client of `maim.v1.Router` for commands: plain dictionaries, errors of one line."""

import os

# gRPC's core writes lines of its own to stderr; it reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from maim_router.control_client.client import ControlClient, ControlError

__all__ = ["ControlClient", "ControlError"]
