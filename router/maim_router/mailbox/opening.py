"""Which mailbox an address names."""

from __future__ import annotations

from maim_protocol.errors import ConfigError
from maim_router.mailbox.interface import Bounds, Mailbox
from maim_router.mailbox.memory import MemoryMailbox
from maim_router.mailbox.sqlite_mailbox import FileMailbox

MEMORY = "memory://"
FILE = "sqlite:///"


def open_mailbox(url: str, bounds: Bounds) -> Mailbox:
    """Open `memory://` or `sqlite:///path`, `sqlite:////absolute/path`; raises `ConfigError`."""
    if url == MEMORY:
        return MemoryMailbox(bounds)
    path = url.removeprefix(FILE)
    # What follows a question mark would be an option, and there are none.
    if path in (url, "") or "?" in path or "\0" in path:
        raise ConfigError(f"expected {MEMORY} or {FILE}path without options, got {url!r}")
    return FileMailbox(path, bounds)
