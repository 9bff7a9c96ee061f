"""Where a service keeps what must survive it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from maim_protocol.errors import ConfigError


def state_dir(given: Path | None, environ: Mapping[str, str] | None = None) -> Path:
    """Make the folder and return it; nobody else may look into it.

    It is `given`, else what systemd made for the unit (`STATE_DIRECTORY`), else `maim` in the
    state directory of the XDG base directory specification. Raises `ConfigError`.
    """
    env = os.environ if environ is None else environ
    systemd = env.get("STATE_DIRECTORY", "").partition(":")[0]
    if given is not None:
        folder = given.expanduser()
    elif systemd:
        folder = Path(systemd)
    else:
        xdg = env.get("XDG_STATE_HOME", "")
        # A relative one is to be taken for none.
        base = Path(xdg) if Path(xdg).is_absolute() else Path("~/.local/state")
        folder = _home(base) / "maim"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"state_dir: {folder}: cannot be made ({error.strerror})") from None
    return folder


def _home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ConfigError("state_dir: expected a folder, for there is no home directory") from None
