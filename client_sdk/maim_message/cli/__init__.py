"""The console scripts: `main` is `maim`, `edge` and `router` are `maim-edge` and `maim-router`.

`maim serve`, `router` and `edge` run with the extra `server`, the other commands need `cli`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from maim_protocol.extras import need
from maim_runtime.process_title import hide_arguments

__all__ = ["edge", "main", "router"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    _start("maim", sys.argv[1:])


def edge() -> None:
    """Run an edge, as `maim edge` does."""
    _start("maim-edge", ["edge", *sys.argv[1:]])


def router() -> None:
    """Run a router, as `maim router` does."""
    _start("maim-router", ["router", *sys.argv[1:]])


def _start(prog: str, argv: Sequence[str]) -> None:
    # Before the slow imports: a key among the arguments shows in the process list until then.
    hide_arguments(prog)
    command = argv[0] if argv else ""
    try:
        need("server" if command in ("serve", "router", "edge") else "cli", "the command")
    except ImportError as missing:
        print(f"{prog}: {missing}", file=sys.stderr)
        sys.exit(2)
    sys.exit(_run(prog if prog != "maim" else f"maim {command}", command, argv))


def _run(prog: str, command: str, argv: Sequence[str]) -> int:
    if command == "serve":
        from maim_message.cli import serve

        return serve.main(argv[1:])
    if command == "router":
        from maim_router.__main__ import main as run_router

        return run_router(argv[1:], prog=prog)
    if command == "edge":
        from maim_edge.__main__ import main as run_edge

        return run_edge(argv[1:], prog=prog)
    from maim_message.cli.app import run

    return run(argv)
