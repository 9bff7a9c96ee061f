"""Connections that come and go: admitted, written to the map, told to callbacks and watchers.

Imports auth, the connection map, handlers.
"""

from maim_router.lifecycle.admission import Admission
from maim_router.lifecycle.feed import LifecycleFeed
from maim_router.lifecycle.log import ConnectionView, Kind, LifecycleEvent, LifecycleLog, LogGap

__all__ = [
    "Admission",
    "ConnectionView",
    "Kind",
    "LifecycleEvent",
    "LifecycleFeed",
    "LifecycleLog",
    "LogGap",
]
