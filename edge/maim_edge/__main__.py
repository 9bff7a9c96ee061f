"""`python -m maim_edge`: one edge, its settings from flags, environment or a TOML file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from maim_edge.settings import EdgeSettings
from maim_runtime.settings import run_service

ABOUT = "An edge of maim: terminates WebSocket connections and hands their messages to a router."


def main(argv: Sequence[str] | None = None, *, prog: str = "maim-edge") -> int:
    """Run an edge until it is told to stop; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    return run_service(EdgeSettings, _run, prog=prog, about=ABOUT, argv=arguments)


def _run(settings: EdgeSettings) -> int:
    # After the flags: `--help` and a wrong setting answer without loading a server.
    from maim_edge.service import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
