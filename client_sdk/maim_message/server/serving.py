"""`maim serve`: a router in this process, its edges in child processes, one life for all."""

from __future__ import annotations

import asyncio
import logging
import sys

from maim_edge.settings import EdgeSettings
from maim_message.server.embedded import EdgeProcesses, Edges, InProcessEdge
from maim_protocol.addresses import is_loopback
from maim_protocol.errors import ConfigError
from maim_router.node import Node
from maim_router.service import build_node, load_app
from maim_router.settings import RouterSettings
from maim_runtime import lifetime

log = logging.getLogger(__name__)


def serve(edge: EdgeSettings, router: RouterSettings) -> int:
    """Run until SIGTERM or Ctrl-C; returns the exit code.

    Raises `ConfigError` and `OSError` of one line for what the operator must mend.
    """
    if "routers" in edge.model_fields_set:
        raise ConfigError("routers: `maim serve` brings its own router; use `maim edge`")
    end_seconds = lifetime.END_SECONDS + edge.drain_window
    return lifetime.run(lambda stop: _serve(edge, router, stop), end_seconds)


async def _serve(edge: EdgeSettings, router: RouterSettings, stop: asyncio.Event) -> int:
    app = load_app(router.app) if router.app else None
    loopback = is_loopback(edge.host) and is_loopback(router.address)
    node = build_node(app, router, loopback=loopback)
    edges = _edges(node, router, edge)
    try:
        await edges.start()
        log.info("ready: clients on %s, control on %s", edges.url, router.address)
        await _until(stop, edges)
    finally:
        await edges.stop()
        await node.stop()
    log.info("stopped")
    return 0


def _edges(node: Node, router: RouterSettings, edge: EdgeSettings) -> Edges:
    if sys.platform == "win32":
        # A listening socket cannot be handed to a child process there.
        return InProcessEdge(node, edge)
    return EdgeProcesses(node, router, edge, edge.workers)


async def _until(stop: asyncio.Event, edges: Edges) -> None:
    stopping = asyncio.ensure_future(stop.wait())
    failing = asyncio.ensure_future(edges.failed())
    try:
        await asyncio.wait([stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            failing.result()
    finally:
        stopping.cancel()
        failing.cancel()
        await asyncio.gather(failing, return_exceptions=True)
