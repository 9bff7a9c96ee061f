"""How many files and sockets this process may have open."""

from __future__ import annotations

from maim_protocol.errors import ConfigError


def allow_descriptors(wanted: int) -> None:
    """Raise the limit to this number; raises `ConfigError` when the system forbids it.

    A process with the privilege raises the hard limit too. Windows counts sockets otherwise.
    """
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        return
    try:
        hard = hard if hard == unlimited else max(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):
        text = f"{wanted} open files are needed and {hard} are allowed: raise `ulimit -n`"
        raise ConfigError(text) from None
