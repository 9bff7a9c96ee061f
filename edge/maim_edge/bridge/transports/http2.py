"""`Http2Bridge`: the bridge over `maim.v1.Bridge/Attach`, carried by a thin stream of our own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Sequence
from itertools import cycle

from maim_edge.bridge.transports import codec
from maim_protocol.bridge import HTTP2_PACE, SENT, EdgeFrame, RouterFrame, RouterStream
from maim_protocol.errors import AttachProblem, AttachRefused, RouterUnavailable
from maim_protocol.http2 import THIN_STREAM, CallFailed, CallStream, Status, dial

ATTACH = "/maim.v1.Bridge/Attach"
_PROBLEMS = {
    Status.FAILED_PRECONDITION: AttachProblem.VERSION,
    Status.ABORTED: AttachProblem.EPOCH,
    Status.UNAUTHENTICATED: AttachProblem.TOKEN,
    Status.PERMISSION_DENIED: AttachProblem.TOKEN,
    Status.INVALID_ARGUMENT: AttachProblem.PROTOCOL,
    Status.UNIMPLEMENTED: AttachProblem.PROTOCOL,
}
# What OpenSSL says of an answer that is no TLS record, 3.0 and later.
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}


class Http2Bridge:
    """Tries the routers in turn, beginning with the one after the last tried.

    `routers` are `host:port`, `dns:///name:port`, `unix:/path`; what answers there may be any
    gRPC server. `timeout` seconds for a connection to be made.
    """

    def __init__(
        self,
        routers: Sequence[str],
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout: float = 5.0,
    ) -> None:
        self._routers = cycle(routers)
        self._token = token
        self._tls = tls
        self._timeout = timeout

    async def connect(self) -> RouterStream:
        """Open a stream to the next router; raises `RouterUnavailable`."""
        target = next(self._routers)
        announced = {THIN_STREAM: 1}
        try:
            async with asyncio.timeout(self._timeout):
                call = await dial(
                    target, ATTACH, token=self._token, tls=self._tls, announced=announced
                )
        except TimeoutError:
            text = f"{target}: no router answered within {self._timeout:g} s"
            raise RouterUnavailable(text) from None
        except OSError as error:
            text = f"{target}: no router can be reached there ({why_unreachable(error)})"
            raise RouterUnavailable(text) from error
        return _Http2Stream(target, call)

    async def close(self) -> None:
        """Nothing is held between streams."""


def why_unreachable(error: OSError) -> str:
    """Say what is wrong with an address that `dial` could not call."""
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "expected TLS, the peer speaks something else"
    return error.strerror or str(error)


class _Http2Stream:
    """A `RouterStream` over a call of our own."""

    pace = HTTP2_PACE

    def __init__(self, target: str, call: CallStream) -> None:
        self._target = target
        self._call = call

    async def read(self) -> RouterFrame | None:
        try:
            wire = await self._call.read()
            return None if wire is None else codec.decode(wire)
        except CallFailed as error:
            problem = _PROBLEMS.get(error.status)
            if problem is not None:
                raise AttachRefused(problem, f"{self._target}: {error.text}") from error
            raise ConnectionError(f"{self._target}: {error}") from error
        except (ConnectionError, ValueError) as error:
            raise ConnectionError(f"{self._target}: {error}") from error

    def write(self, frame: EdgeFrame) -> Awaitable[None]:
        return self._call.write(codec.encode(frame)) or SENT

    async def close(self) -> None:
        await self._call.close()
