"""uvicorn inside a loop that belongs to somebody else: no signal handlers, no logging set-up.

uvicorn's own INFO lines print query strings, which hold keys, so only its warnings are written.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from maim_runtime.listening import bind, bound_port

__all__ = ["HttpServer", "bind", "bound_port"]

# uvicorn looks five to ten times a second whether it shall end; what takes longer hangs.
END_SECONDS = 1.0


class HttpServer:
    """One ASGI app on one bound socket; `start`, then `stop`, once each."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(
        self,
        app: Any,
        sock: socket.socket,
        *,
        ssl_context: ssl.SSLContext | None = None,
        ws_protocol_class: Callable[..., asyncio.Protocol] | str | None = None,
        **config: Any,
    ) -> None:
        """Serve `app` on `sock`, which is the server's from now on; returns when it answers.

        `config` goes to `uvicorn.Config`, e.g. `ws_max_size`, `ws_ping_interval`, `backlog`.
        Raises `OSError` when the socket cannot be listened on.
        """
        self._server = _Server(_config(app, ws_protocol_class, config), ssl_context)
        serving = asyncio.create_task(self._server.serve(sockets=[sock]), name="http server")
        self._task = serving
        ready = asyncio.create_task(self._server.ready.wait())
        try:
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if serving.done():
            sock.close()
            serving.result()

    async def stop(self, timeout: float) -> None:
        """Close the port, let requests end for `timeout` seconds, then break the connections.

        Does nothing when it was not started or has ended.
        """
        server, task = self._server, self._task
        if server is None or task is None:
            return
        self._server = self._task = None
        config: Any = server.config  # declared as whole seconds, used as any number
        config.timeout_graceful_shutdown = timeout
        server.should_exit = True
        await asyncio.wait([task], timeout=timeout + END_SECONDS)
        server.abort()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Server(uvicorn.Server):
    """A server that tells when it answers and leaves signals to the process."""

    def __init__(self, config: uvicorn.Config, ssl_context: ssl.SSLContext | None) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        config.load()
        config.ssl = ssl_context

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM and SIGINT alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port and say so."""
        await super().startup(sockets=sockets)
        self.ready.set()

    def abort(self) -> None:
        """Break what is still connected."""
        for connection in list(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


def _config(
    app: Any, ws: Callable[..., asyncio.Protocol] | str | None, config: dict[str, Any]
) -> uvicorn.Config:
    options: dict[str, Any] = {
        "ws": ws or "none",
        "lifespan": "off",
        "interface": "asgi3",
        "log_config": None,
        "log_level": logging.WARNING,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
    }
    return uvicorn.Config(app, **(options | config))
