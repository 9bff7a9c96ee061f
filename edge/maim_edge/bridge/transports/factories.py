"""Makes a bridge; what carries it is imported then: nobody pays for grpcio who does not use it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence

from maim_edge.bridge.transports.interface import Bridge


def make_http2_bridge(
    routers: Sequence[str], token: str | None, tls: ssl.SSLContext | None
) -> Bridge:
    """Make a bridge on our HTTP/2 stream, to the routers in turn."""
    from maim_edge.bridge.transports.http2 import Http2Bridge

    return Http2Bridge(routers, token, tls)


def make_grpc_bridge(
    routers: Sequence[str],
    token: str | None,
    ca: bytes | None,
    key: bytes | None,
    certificate: bytes | None,
) -> Bridge:
    """Make a bridge on grpcio, to the routers in turn; PEM contents, all optional."""
    from maim_edge.bridge.transports.grpc import Credentials, GrpcBridge

    return GrpcBridge(routers, Credentials(token, ca, key, certificate))
