"""An edge as a service: FastAPI application, ports, TLS, worker processes, the life of the process.

Stands on everything else of the edge; nothing of the edge imports it.
"""

from maim_edge.service.process import run
from maim_edge.service.server import EdgeServer
from maim_edge.service.workers import Workers

__all__ = ["EdgeServer", "Workers", "run"]
