"""Clients of the load generator: WebSockets that cost next to nothing."""

from maim_bench.clients.client import Client, Load, Wire
from maim_bench.clients.frames import (
    TOKEN_BYTES,
    TOKEN_DIGITS,
    TOKEN_MARK,
    Fillable,
    Template,
    make_token,
)
from maim_bench.clients.listening import Listening
from maim_bench.clients.opening import Opened, open_all
from maim_bench.clients.wire import load_wire

__all__ = [
    "TOKEN_BYTES",
    "TOKEN_DIGITS",
    "TOKEN_MARK",
    "Client",
    "Fillable",
    "Listening",
    "Load",
    "Opened",
    "Template",
    "Wire",
    "load_wire",
    "make_token",
    "open_all",
]
