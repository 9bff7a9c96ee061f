"""A router as a service: from settings and an application to a process with ports.

Stands on everything else of the router; nothing of the router imports it.
"""

from maim_router.service.application import build_node, load_app
from maim_router.service.process import RouterProcess, run

__all__ = ["RouterProcess", "build_node", "load_app", "run"]
