"""How many files and sockets this process, and what it starts, may have open."""

from __future__ import annotations

from maim_protocol.errors import ConfigError

# Where the system has no such limit.
UNLIMITED = 1_000_000


def most_descriptors() -> int:
    """Tell the number up to which `allow_descriptors` may go."""
    try:
        import resource
    except ImportError:  # Windows counts its sockets otherwise
        return UNLIMITED
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return UNLIMITED if hard == resource.RLIM_INFINITY else hard


def allow_descriptors(wanted: int) -> None:
    """Raise the limit to this number; raises `ConfigError` when the system forbids it."""
    if wanted > most_descriptors():
        text = (
            f"{wanted} open files are needed, {most_descriptors()} are allowed: raise `ulimit -n`"
        )
        raise ConfigError(text)
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
