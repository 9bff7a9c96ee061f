"""Who is connected where: user, platform, connections. The seam to shared implementations.

Imports events and the protocol.
"""

from maim_router.connection_map.audience import Audience
from maim_router.connection_map.changes import Added, Removed
from maim_router.connection_map.entry import Entry
from maim_router.connection_map.interface import ConnectionMap
from maim_router.connection_map.memory import MemoryConnectionMap
from maim_router.connection_map.session_modes import SessionModes, read_session_modes

__all__ = [
    "Added",
    "Audience",
    "ConnectionMap",
    "Entry",
    "MemoryConnectionMap",
    "Removed",
    "SessionModes",
    "read_session_modes",
]
