"""What a plain install leaves out: an import that lacks its extra says which one to install."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_OLDEST_PYTHON = (3, 11)
_PACKAGES = {
    "server": ("fastapi", "grpc", "picows", "pydantic_settings", "structlog", "uvicorn"),
    "cli": ("typer", "rich", "cryptography", "setproctitle"),
}


def need(extra: str, what: str) -> None:
    """Raise `ImportError` unless this Python and what is installed fit an extra of ours."""
    if sys.version_info < _OLDEST_PYTHON:
        came = ".".join(map(str, sys.version_info[:2]))
        raise ImportError(f"{what} needs Python 3.11 or newer, this is {came}", name=what)
    missing = [name for name in _PACKAGES[extra] if not _is_there(name)]
    if missing:
        hint = f"pip install 'maim-message[{extra}]'"
        raise ImportError(f'{what} needs the extra "{extra}": {hint}', name=missing[0])


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ValueError:  # `sys.modules` has None for it
        return False
