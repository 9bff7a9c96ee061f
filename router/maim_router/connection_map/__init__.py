"""Who is connected where: user, platform, connections. The seam to shared implementations."""

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.changes import Added, Removed
from maim_router.connection_map.entry import Entry
from maim_router.connection_map.interface import ConnectionMap
from maim_router.connection_map.memory import MemoryConnectionMap

__all__ = ["Added", "Audience", "ConnectionMap", "Entry", "MemoryConnectionMap", "Removed"]
