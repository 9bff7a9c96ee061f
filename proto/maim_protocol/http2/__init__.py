"""A gRPC call on an HTTP/2 connection of its own: for the bridge, and for nothing else.

One long-lived stream of messages a connection, TLS, flow control both ways, keepalive. Read it
from the outside in: `dialer` and `stream` (asyncio), `connection` (pure), then its parts.
"""

from maim_protocol.http2.call import Request, read_request
from maim_protocol.http2.codes import CallFailed, Status
from maim_protocol.http2.dialer import dial
from maim_protocol.http2.events import Field, Fields, Limits
from maim_protocol.http2.settings import THIN_STREAM, announces_thin_stream
from maim_protocol.http2.stream import CallStream

__all__ = [
    "THIN_STREAM",
    "CallFailed",
    "CallStream",
    "Field",
    "Fields",
    "Limits",
    "Request",
    "Status",
    "announces_thin_stream",
    "dial",
    "read_request",
]
