"""The systems under test by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from benchmarks.field.nats import Nats
from benchmarks.field.nchan import Nchan
from benchmarks.field.socketio import SocketIo
from benchmarks.systems.interface import System
from benchmarks.systems.local import Local
from benchmarks.systems.pair import Pair
from benchmarks.systems.peer import Peer

App = Literal["relay", "handler"]

__all__ = ["SYSTEMS", "App", "Local", "Pair", "Peer", "System", "chosen"]

GRPC = {"MAIM_EDGE_BRIDGE": "grpc", "MAIM_ROUTER_BRIDGE": "grpc"}
HTTP2 = {"MAIM_EDGE_BRIDGE": "http2", "MAIM_ROUTER_BRIDGE": "http2"}
SANSIO = {"MAIM_EDGE_WS": "websockets-sansio"}

# A name with a dash is a variant: it runs only when it is named.
SYSTEMS: dict[str, Callable[[App], System]] = {
    "peer": lambda app: Peer(app),
    "silenced": lambda app: Peer(app, silenced=True),
    "pair": lambda app: Pair(app),
    "local": lambda app: Local(app),
    "socketio": lambda app: SocketIo(),
    "nchan": lambda app: Nchan(),
    "nats": lambda app: Nats(),
    "pair-tls": lambda app: Pair(app, tls=True),
    "pair-grpc": lambda app: Pair(app, settings=GRPC),
    "pair-http2": lambda app: Pair(app, settings=HTTP2),
    "pair-sansio": lambda app: Pair(app, settings=SANSIO),
}


def chosen(offered: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Choose of a row's systems those that are wanted, and wanted variants of them."""
    if not wanted:
        return list(offered)
    return [name for name in wanted if name in offered or name.partition("-")[0] in offered]
