"""`maim serve`: router and edge together, under the settings of both."""

from __future__ import annotations

from collections.abc import Sequence

from maim_edge.settings import EdgeSettings
from maim_router.settings import RouterSettings
from maim_runtime import logs
from maim_runtime.settings import guarded, parse_flags

PROG = "maim serve"
ABOUT = (
    "A router and its edge, together; Ctrl-C drains. A flag that both services have is the "
    "edge's, the router's is --router-<name>."
)


def main(argv: Sequence[str]) -> int:
    """Run both until told to stop; returns the exit code."""
    return guarded(lambda: _start(argv), title=PROG)


def _start(argv: Sequence[str]) -> int:
    flags = parse_flags(argv, [EdgeSettings, RouterSettings], prog=PROG, about=ABOUT)
    edge, router = flags.load(EdgeSettings), flags.load(RouterSettings)
    logs.configure(edge.log_level, edge.log_format)
    # After the flags: `--help` and a wrong setting answer without loading a server.
    from maim_message.server import serve

    return serve(edge, router)
