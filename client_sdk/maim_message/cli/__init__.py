"""The `maim` command; `main` is the console script and needs the extra `cli`."""

from __future__ import annotations

import importlib.util
import sys

from maim_runtime.process_title import hide_arguments

__all__ = ["main"]

NEEDED = ("typer", "rich", "cryptography", "setproctitle")


def main() -> None:
    """Run the command line of this process and exit with its code."""
    # Before the slow imports: a key among the arguments shows in the process list until then.
    hide_arguments("maim")
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        hint = "pip install 'maim-message[cli]'"
        print(f'maim: the commands need the extra "cli": {hint}', file=sys.stderr)
        sys.exit(2)
    from maim_message.cli.app import run

    sys.exit(run(sys.argv[1:]))
