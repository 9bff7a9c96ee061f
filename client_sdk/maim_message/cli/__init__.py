"""The `maim` command; `main` is the console script.

`maim serve`, `router` and `edge` run with the extra `server`, the other commands need `cli`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from maim_protocol.extras import need
from maim_runtime.process_title import hide_arguments

__all__ = ["main"]


def main() -> None:
    """Run the command line of this process and exit with its code."""
    # Before the slow imports: a key among the arguments shows in the process list until then.
    hide_arguments("maim")
    sys.exit(_run(sys.argv[1:]))


def _run(argv: Sequence[str]) -> int:
    command = argv[0] if argv else ""
    try:
        need("server" if command in ("serve", "router", "edge") else "cli", "the command")
    except ImportError as missing:
        print(f"maim: {missing}", file=sys.stderr)
        return 2
    if command == "serve":
        from maim_message.cli import serve

        return serve.main(argv[1:])
    if command == "router":
        from maim_router.__main__ import main as run_router

        return run_router(argv[1:], prog="maim router")
    if command == "edge":
        from maim_edge.__main__ import main as run_edge

        return run_edge(argv[1:], prog="maim edge")
    from maim_message.cli.app import run

    return run(argv)
