"""The edge as a process of its own, or as several behind one port."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from maim_edge.bridge import Bridge, make_grpc_bridge, make_http2_bridge
from maim_edge.service.server import EdgeServer
from maim_edge.service.tls import bridge_context
from maim_edge.service.workers import Workers
from maim_edge.settings import EdgeSettings
from maim_protocol.errors import AttachRefused, ConfigError
from maim_runtime import lifetime
from maim_runtime.shutdown_deadline import ShutdownDeadline

log = logging.getLogger(__name__)

# A window up to this leaves the rest of the end its time.
DRAIN_WITHIN_SECONDS = 3.0


def run(settings: EdgeSettings) -> int:
    """Run until SIGTERM, Ctrl-C or a router's order to drain; returns the exit code.

    Raises `ConfigError` and `OSError` of one line for what the operator must mend.
    """
    deadline = ShutdownDeadline(_end_seconds(settings.drain_window))
    if settings.workers > 1:
        return lifetime.run_until(lambda stop: _serve_many(settings, stop), deadline)

    def on_order(window: float) -> None:
        deadline.restart(_end_seconds(window))

    return lifetime.run_until(lambda stop: _serve(settings, stop, on_order), deadline)


def _end_seconds(window: float) -> float:
    return lifetime.END_SECONDS + max(0.0, window - DRAIN_WITHIN_SECONDS)


async def _serve(
    settings: EdgeSettings, stop: asyncio.Event, on_order: Callable[[float], None]
) -> int:
    server = EdgeServer(settings, make_bridge(settings), on_order)
    attaching = await server.start()
    log.info("edge ready: clients on %s, router %s", server.url, settings.routers)
    if settings.listen_fd is not None:
        await _stop_at_end_of_input(stop)
    ends = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(server.drained())]
    await asyncio.wait([attaching, *ends], return_when=asyncio.FIRST_COMPLETED)
    for end in ends:
        end.cancel()
    await server.stop()
    if attaching.done() and not attaching.cancelled():
        _raise_failure(attaching)
    log.info("edge stopped")
    return 0


async def _serve_many(settings: EdgeSettings, stop: asyncio.Event) -> int:
    workers = Workers(settings)
    await workers.start()
    log.info("%d edge processes: clients on %s", settings.workers, workers.url)
    watching = asyncio.ensure_future(workers.run())
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([watching, stopping], return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        stopping.cancel()
        await workers.stop()
    return 0


async def _stop_at_end_of_input(stop: asyncio.Event) -> None:
    """Stop when the parent process is gone: then nobody holds the other end of the pipe."""
    await asyncio.get_running_loop().connect_read_pipe(lambda: _EndOfInput(stop), sys.stdin)


class _EndOfInput(asyncio.Protocol):
    """Sets an event at the end of the input, of which event loops tell in either way."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def eof_received(self) -> None:
        self._stop.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()


def _raise_failure(attaching: asyncio.Task[None]) -> None:
    error = attaching.exception()
    if isinstance(error, AttachRefused):
        raise ConfigError(f"the router refuses this edge: {error}")
    if error is not None:
        raise error


def make_bridge(settings: EdgeSettings) -> Bridge:
    """Make what `settings.bridge` names; raises `ConfigError` for a certificate."""
    token = settings.bridge_token.get_secret_value() if settings.bridge_token else None
    routers = settings.router_addresses
    if settings.bridge == "http2":
        return make_http2_bridge(routers, token, bridge_context(settings))
    ca, key, cert = settings.bridge_tls_ca, settings.bridge_tls_key, settings.bridge_tls_cert
    return make_grpc_bridge(routers, token, _read(ca), _read(key), _read(cert))


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
