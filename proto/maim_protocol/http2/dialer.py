"""Opens a call to a server: TCP or a unix socket, with TLS or without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

from maim_protocol.addresses import join, parse_address
from maim_protocol.http2 import call
from maim_protocol.http2.events import Limits
from maim_protocol.http2.stream import CallStream

LOCALHOST = "localhost"


async def dial(
    target: str,
    path: str,
    *,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
    limits: Limits | None = None,
    announced: Mapping[int, int] | None = None,
) -> CallStream:
    """Call `path` at `host:port`, `dns:///name:port` or `unix:/path`.

    Raises `OSError` when nothing there speaks HTTP/2. `tls` must offer the protocol h2; a name
    is checked against the certificate, `localhost` for a unix socket.
    """
    address = parse_address(target)
    authority = join(address.host, address.port) if address.host else LOCALHOST
    stream = CallStream(limits or Limits(), announced=announced)
    loop = asyncio.get_running_loop()
    try:
        if address.path:
            name = LOCALHOST if tls else None
            transport, _ = await loop.create_unix_connection(
                lambda: stream, address.path, ssl=tls, server_hostname=name
            )
        else:
            transport, _ = await loop.create_connection(
                lambda: stream, address.host, address.port, ssl=tls
            )
        session = transport.get_extra_info("ssl_object")
        if session is not None and session.selected_alpn_protocol() != "h2":
            raise ConnectionError("expected the protocol h2 over TLS, the server chose none")
        await stream.ready()
    except ConnectionResetError as error:
        if tls is None:
            raise ConnectionError(f"{error}; a server that expects TLS does that") from error
        raise
    except BaseException:
        stream.abort()
        raise
    stream.open(call.request(path, authority, "https" if tls else "http", token))
    return stream
