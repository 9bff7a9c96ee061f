"""The systems under test by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from benchmarks.field.nats import Nats
from benchmarks.field.nchan import Nchan
from benchmarks.field.socketio import SocketIo
from benchmarks.systems.interface import System
from benchmarks.systems.local import Local
from benchmarks.systems.pair import Pair
from benchmarks.systems.peer import Peer

App = Literal["relay", "handler"]

__all__ = ["SYSTEMS", "App", "Local", "Pair", "Peer", "System"]

SYSTEMS: dict[str, Callable[[App], System]] = {
    "peer": lambda app: Peer(app),
    "silenced": lambda app: Peer(app, silenced=True),
    "socketio": lambda app: SocketIo(),
    "nchan": lambda app: Nchan(),
    "nats": lambda app: Nats(),
    "pair": lambda app: Pair(app),
    "local": lambda app: Local(app),
}
