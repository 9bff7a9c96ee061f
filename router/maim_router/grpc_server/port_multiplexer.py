"""The router's port where thin streams are served: they are told from everything else here.

What does not announce itself as an edge of ours goes on to grpcio, byte for byte; TLS ends here
for both.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import cast

from maim_protocol.addresses import UNIX, join, unix_path
from maim_protocol.http2 import announces_thin_stream
from maim_router.grpc_server.access import Access
from maim_router.grpc_server.attach_http2 import Attachments
from maim_router.grpc_server.listening import check_socket_file
from maim_router.grpc_server.tcp_proxy import proxy
from maim_router.node import Node
from maim_runtime.listening import bind, bound_port

log = logging.getLogger(__name__)

# A client speaks first; one that says nothing holds a socket.
FIRST_BYTES_SECONDS = 10.0
END_SECONDS = 1.0
BACKLOG = 1024
GRPC_SOCKET = "grpc"
HAS_UNIX_SOCKETS = sys.platform != "win32"


class PortMultiplexer:
    """Listens for edges, served by `attachments`, and for all others, served `behind` it."""

    def __init__(self, attachments: Attachments, folder: Path) -> None:
        self._attachments = attachments
        self._folder = folder
        self._grpc_socket = folder / GRPC_SOCKET
        self._servers: list[asyncio.Server] = []
        self._paths: list[Path] = []
        self._open: set[asyncio.Transport] = set()
        self._joining: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    @property
    def grpc_address(self) -> str:
        """Where grpcio is to listen for what is not an edge of ours."""
        return f"{UNIX}{self._grpc_socket}"

    async def listen(self, address: str, tls: ssl.SSLContext | None) -> str:
        """Listen at `host:port` or `unix:/path`; returns the address with the port it got.

        TLS is for TCP. Raises `OSError` of one line.
        """
        loop = asyncio.get_running_loop()
        if address.startswith(UNIX):
            path = Path(unix_path(address))
            check_socket_file(path)
            server = await loop.create_unix_server(self._unidentified, path, backlog=BACKLOG)
            self._servers.append(server)
            self._paths.append(path)
            return address
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        sock = bind(host, int(port))
        seconds = FIRST_BYTES_SECONDS if tls else None
        try:
            server = await loop.create_server(
                self._unidentified,
                sock=sock,
                backlog=BACKLOG,
                ssl=tls,
                ssl_handshake_timeout=seconds,
            )
        except OSError:
            sock.close()
            raise
        self._servers.append(server)
        return join(host, bound_port(sock))

    async def drain(self, grace: float) -> None:
        """Take nobody any more, and let attachments end for `grace` seconds."""
        for server in self._servers:
            server.close()
        for path in self._paths:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        await self._attachments.stop(grace)

    async def stop(self) -> None:
        """Break whatever is open; when grpcio has ended too."""
        for task in self._joining:
            task.cancel()
        await asyncio.gather(*self._joining, return_exceptions=True)
        for transport in list(self._open):
            transport.abort()
        if self._open:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), END_SECONDS)
        await self._attachments.stop(0)  # those that came in the meantime
        shutil.rmtree(self._folder, ignore_errors=True)

    def _unidentified(self) -> asyncio.Protocol:
        return _Unidentified(self._hand_over, self._opened, self._closed)

    def _hand_over(self, transport: asyncio.Transport, head: bytes, thin: bool) -> None:
        """Hand a connection over to who serves it; `head` was read already."""
        if not thin:
            transport.pause_reading()
            task = asyncio.get_running_loop().create_task(self._join(transport, head))
            self._joining.add(task)
            task.add_done_callback(self._joining.discard)
            return
        stream = self._attachments.protocol(functools.partial(self._closed, transport))
        transport.set_protocol(stream)
        stream.connection_made(transport)
        stream.data_received(head)

    async def _join(self, transport: asyncio.Transport, head: bytes) -> None:
        try:
            _, far = await proxy(
                transport, str(self._grpc_socket), head, lambda half: self._closed(half.transport)
            )
        except OSError:
            log.exception("the gRPC server of this router does not answer")
            transport.abort()
        else:
            self._opened(far.transport)

    def _opened(self, transport: asyncio.Transport) -> None:
        self._open.add(transport)

    def _closed(self, transport: asyncio.Transport) -> None:
        self._open.discard(transport)
        if not self._open:
            self._empty.set()


def make_port_multiplexer(node: Node, access: Access | None) -> PortMultiplexer | None:
    """Make one; None, with a line in the log, where grpcio cannot be put behind it."""
    try:
        folder = _make_folder()
    except (OSError, ValueError) as error:
        log.warning("bridge http2 is not possible here: %s; grpcio serves edges", error)
        return None
    return PortMultiplexer(Attachments(node, access), folder)


def _make_folder() -> Path:
    """Make a folder that nobody else may enter, for a socket behind the multiplexer."""
    if not HAS_UNIX_SOCKETS:
        raise ValueError("expected unix sockets")
    folder = Path(tempfile.mkdtemp(prefix="maim-"))
    try:
        unix_path(f"{UNIX}{folder / GRPC_SOCKET}")
    except ValueError as error:
        folder.rmdir()
        raise ValueError(f"expected {error}, got one in {folder}") from None
    return folder


class _Unidentified(asyncio.Protocol):
    """A connection that has not shown what it is."""

    def __init__(
        self,
        hand_over: Callable[[asyncio.Transport, bytes, bool], None],
        opened: Callable[[asyncio.Transport], None],
        closed: Callable[[asyncio.Transport], None],
    ) -> None:
        self._hand_over = hand_over
        self._opened = opened
        self._closed = closed
        self._head = b""
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._opened(self._transport)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(FIRST_BYTES_SECONDS, self._transport.abort)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            self._transport.close()  # as grpcio, which serves nothing else

    def data_received(self, data: bytes) -> None:
        self._head += data
        thin = announces_thin_stream(self._head)
        if thin is not None:
            self._timer.cancel()
            self._hand_over(self._transport, self._head, thin)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._closed(self._transport)
