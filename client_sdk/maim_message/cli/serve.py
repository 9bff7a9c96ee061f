"""`maim serve`: router and edge together, under the settings of both."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from maim_edge.settings import EdgeSettings
from maim_protocol.addresses import UNIX
from maim_protocol.errors import ConfigError
from maim_router.settings import RouterSettings
from maim_runtime import logs
from maim_runtime.settings import guarded, parse_flags
from maim_runtime.state import state_dir

log = logging.getLogger(__name__)

PROG = "maim serve"
ABOUT = (
    "A router and its edge, together; Ctrl-C drains. A flag that both services have is the "
    "edge's, the router's is --router-<name>."
)


def main(argv: Sequence[str]) -> int:
    """Run both until told to stop; returns the exit code."""
    return guarded(lambda: _start(argv), title=PROG)


def _start(argv: Sequence[str]) -> int:
    flags = parse_flags(argv, [EdgeSettings, RouterSettings], prog=PROG, about=ABOUT)
    edge, router = flags.load(EdgeSettings), flags.load(RouterSettings)
    logs.configure(edge.log_level, edge.log_format)
    # After the flags: `--help` and a wrong setting answer without loading a server.
    from maim_message.server import serve

    return serve(edge, _with_mailbox(router))


def _with_mailbox(router: RouterSettings) -> RouterSettings:
    """Keep letters in the state directory, a file for each address, unless they say where."""
    unix = router.host.startswith(UNIX)
    if "mailbox" in router.model_fields_set or not router.mailbox_messages:
        return router
    if not (router.port or unix):
        return router  # a port that the next start does not have again
    name = hashlib.sha256(router.host.encode()).hexdigest()[:16] if unix else f"{router.port}"
    try:
        path = state_dir(router.state_dir).absolute() / f"letters-{name}.db"
    except ConfigError as error:
        if router.state_dir is not None:
            raise
        log.warning("letters are kept in memory, a restart loses them: %s", error)
        return router
    return router.model_copy(update={"mailbox": f"sqlite:///{path}"})
