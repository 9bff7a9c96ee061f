"""`python -m maim_router`: one router, its settings from flags, environment or a TOML file."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from maim_router.settings import RouterSettings
from maim_runtime.settings import run_service

ABOUT = "A router of maim: knows who is connected where and takes every message there."


def main(argv: Sequence[str] | None = None, *, prog: str = "maim-router") -> int:
    """Run a router until it is told to stop; returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    return run_service(RouterSettings, _run, prog=prog, about=ABOUT, argv=arguments)


def _run(settings: RouterSettings) -> int:
    # After the flags: `--help` and a wrong setting answer without loading a server.
    from maim_router.service import run

    return run(settings)


if __name__ == "__main__":
    sys.exit(main())
