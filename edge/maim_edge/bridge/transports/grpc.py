"""`GrpcBridge`: streams over `maim.v1.Bridge/Attach`, with failover between routers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import grpc

from maim_edge.bridge.transports import codec
from maim_edge.bridge.transports.http2 import ATTACH, why_unreachable
from maim_protocol.bridge import GRPC_PACE, EdgeFrame, RouterFrame, RouterStream
from maim_protocol.errors import AttachProblem, AttachRefused, RouterUnavailable
from maim_protocol.http2 import dial
from maim_protocol.v1 import bridge_pb2 as pb
from maim_protocol.v1 import bridge_pb2_grpc
from maim_runtime.grpc_options import keepalive

# As long as the thin stream's are, so that either bridge notices a frozen router at one time.
SILENCE_SECONDS = 20.0
ANSWER_SECONDS = 10.0
_OPTIONS: list[tuple[str, int]] = [
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.enable_http_proxy", 0),
    *keepalive(SILENCE_SECONDS, ANSWER_SECONDS),
    ("grpc.http2.max_pings_without_data", 0),
    # We try again with our own backoff; a connection shared between channels would add gRPC's.
    ("grpc.use_local_subchannel_pool", 1),
]
_PROBLEMS = {
    grpc.StatusCode.FAILED_PRECONDITION: AttachProblem.VERSION,
    grpc.StatusCode.ABORTED: AttachProblem.EPOCH,
    grpc.StatusCode.UNAUTHENTICATED: AttachProblem.TOKEN,
    grpc.StatusCode.PERMISSION_DENIED: AttachProblem.TOKEN,
    grpc.StatusCode.INVALID_ARGUMENT: AttachProblem.PROTOCOL,
    grpc.StatusCode.UNIMPLEMENTED: AttachProblem.PROTOCOL,
}
Call = grpc.aio.StreamStreamCall[pb.EdgeFrame, pb.RouterFrame]


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """How an edge shows who it is; PEM contents, all optional."""

    token: str | None = None
    root_certificates: bytes | None = None
    private_key: bytes | None = None
    certificate_chain: bytes | None = None

    @property
    def tls(self) -> bool:
        """Whether the channel is encrypted."""
        return self.root_certificates is not None or self.certificate_chain is not None


class GrpcBridge:
    """Tries the routers in turn, beginning with the one after the last tried.

    `routers` are gRPC targets: `host:port`, `dns:///name:port`, `unix:/path`. `timeout` seconds
    for a connection to be made.
    """

    def __init__(
        self, routers: Sequence[str], credentials: Credentials | None = None, timeout: float = 5.0
    ) -> None:
        self._routers = cycle(routers)
        self._credentials = credentials or Credentials()
        self._timeout = timeout

    async def connect(self) -> RouterStream:
        """Open a stream to the next router; raises `RouterUnavailable`."""
        target = next(self._routers)
        channel = self._channel(target)
        try:
            async with asyncio.timeout(self._timeout):
                if not await _connected(channel):
                    why = "" if self._credentials.tls else await _why_unreachable(target)
                    raise RouterUnavailable(f"{target}: no router can be reached there{why}")
        except TimeoutError:
            await channel.close(None)
            text = f"{target}: no router answered within {self._timeout:g} s"
            raise RouterUnavailable(text) from None
        except BaseException:
            await channel.close(None)
            raise
        token = self._credentials.token
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        attach: Any = bridge_pb2_grpc.BridgeStub(channel).Attach  # typed as if it were not aio
        call: Call = attach(metadata=metadata)
        return _GrpcStream(target, channel, call)

    async def close(self) -> None:
        """Nothing is held between streams."""

    def _channel(self, target: str) -> grpc.aio.Channel:
        credentials = self._credentials
        if not credentials.tls:
            return grpc.aio.insecure_channel(target, options=_OPTIONS)
        secure = grpc.ssl_channel_credentials(
            credentials.root_certificates, credentials.private_key, credentials.certificate_chain
        )
        return grpc.aio.secure_channel(target, secure, options=_OPTIONS)


async def _connected(channel: grpc.aio.Channel) -> bool:
    """Wait for a connection; the first failure is enough, so that the next router gets its turn."""
    state = channel.get_state(try_to_connect=True)
    while state is not grpc.ChannelConnectivity.READY:
        if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            return False
        await channel.wait_for_state_change(state)
        state = channel.get_state(try_to_connect=True)
    return True


async def _why_unreachable(target: str) -> str:
    """Ask the thin stream, for grpcio does not tell."""
    try:
        stream = await dial(target, ATTACH)
    except OSError as error:
        return f" ({why_unreachable(error)})"
    stream.abort()
    return ""


class _GrpcStream:
    """A `RouterStream` over a gRPC call; owns the channel."""

    pace = GRPC_PACE

    def __init__(self, target: str, channel: grpc.aio.Channel, call: Call) -> None:
        self._target = target
        self._channel = channel
        self._call = call

    async def read(self) -> RouterFrame | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise _failure(self._target, error) from error
        return codec.router_frame(message) if isinstance(message, pb.RouterFrame) else None

    def write(self, frame: EdgeFrame) -> Awaitable[None]:
        return self._write(codec.edge_frame(frame))

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close(None)

    async def _write(self, message: pb.EdgeFrame) -> None:
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise ConnectionError(error.code().name) from error
        except (grpc.aio.UsageError, grpc.aio.InternalError, asyncio.InvalidStateError) as error:
            raise ConnectionError("the stream has ended") from error


def _failure(target: str, error: grpc.aio.AioRpcError) -> Exception:
    problem = _PROBLEMS.get(error.code())
    if problem is not None:
        return AttachRefused(problem, f"{target}: {error.details()}")
    return ConnectionError(f"{target}: {error.code().name}: {error.details()}")
