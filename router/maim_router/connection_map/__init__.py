"""Who is connected where: user, platform, connections. The seam to shared implementations."""

from maim_router.connection_map.interface import ConnectionMap, Entry
from maim_router.connection_map.memory import MemoryConnectionMap

__all__ = ["ConnectionMap", "Entry", "MemoryConnectionMap"]
