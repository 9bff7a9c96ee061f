"""The command line that other users of the machine see; imports nothing that takes time."""

from __future__ import annotations

import importlib


def hide_arguments(title: str) -> bool:
    """Replace the command line by `title`; False where that is not possible."""
    try:
        importlib.import_module("setproctitle").setproctitle(title)
    except ImportError:
        return False
    return True
