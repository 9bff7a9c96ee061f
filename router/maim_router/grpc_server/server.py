"""The gRPC server of a router: bridge, control API, health and reflection on one port."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from maim_protocol.errors import ConfigError
from maim_protocol.v1 import bridge_pb2, bridge_pb2_grpc, router_pb2, router_pb2_grpc
from maim_router.control import ControlService
from maim_router.grpc_server.access import Access, Authenticate, check_open
from maim_router.grpc_server.attach_grpc import ANSWER_SECONDS, SILENCE_SECONDS, BridgeService
from maim_router.grpc_server.listening import ServerTls, listen
from maim_router.grpc_server.port_multiplexer import PortMultiplexer, make_port_multiplexer
from maim_router.grpc_server.request_parsing import Parsing
from maim_router.node import Node
from maim_runtime.grpc_options import keepalive

BRIDGE = bridge_pb2.DESCRIPTOR.services_by_name["Bridge"].full_name
ROUTER = router_pb2.DESCRIPTOR.services_by_name["Router"].full_name
CHANNELZ = "grpc.channelz.v1.Channelz"
OVERALL = ""
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Two routers on one port would share the edges between them by chance.
    ("grpc.so_reuseport", 0),
    # Edges ping every 20 s, silent or not; without these two a GOAWAY too_many_pings comes.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_ping_strikes", 0),
    *keepalive(SILENCE_SECONDS, ANSWER_SECONDS),
]


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Where and how to serve.

    `authenticate` names the token of a text (`Tokens.authenticate`); without it everything is
    open, and only loopback and unix sockets are listened on. `extra_addresses` are served
    beside, never with TLS: they are for processes of the same machine. `bridge` says what serves
    edges of ours.
    """

    addresses: Sequence[str]
    extra_addresses: Sequence[str] = ()
    tls: ServerTls | None = None
    authenticate: Authenticate | None = None
    channelz: bool = False
    bridge: Literal["grpc", "http2"] = "grpc"


class RouterService:
    """Serves one node; `start` and `stop` once each."""

    def __init__(self, node: Node, options: ServiceOptions) -> None:
        self._node = node
        self._options = options
        self._control = ControlService(node)
        self._health: Any = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._multiplexer: PortMultiplexer | None = None
        self.addresses: tuple[str, ...] = ()

    async def start(self) -> None:
        """Listen and serve; then `addresses` has the ports that were taken for port 0.

        Raises `ConfigError` (certificates, no tokens on an open address) and `OSError` (port in
        use), each of one line.
        """
        options = self._options
        if options.authenticate is None:
            check_open([*options.addresses, *options.extra_addresses])
        access = Access(options.authenticate) if options.authenticate else None
        server = self._make_server(access)
        self._multiplexer = (
            make_port_multiplexer(self._node, access) if options.bridge == "http2" else None
        )
        if self._multiplexer is not None:
            listen(server, self._multiplexer.grpc_address, None)
        bound = [await self._listen(server, place, options.tls) for place in options.addresses]
        bound += [await self._listen(server, place, None) for place in options.extra_addresses]
        await server.start()
        self._server = server
        self.addresses = tuple(bound)
        for name in (OVERALL, ROUTER, BRIDGE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self) -> None:
        """Say NOT_SERVING to who asks for health; calls are still answered."""
        await self._health.enter_graceful_shutdown()

    async def stop(self, grace: float = 1.0) -> None:
        """Drain, let calls end for `grace` seconds, cancel the others; may be called twice."""
        await self.drain()
        await self._control.stop()
        server, self._server = self._server, None
        multiplexer, self._multiplexer = self._multiplexer, None
        ends: list[Awaitable[None]] = []
        if multiplexer is not None:
            ends.append(multiplexer.drain(grace))
        if server is not None:
            ends.append(server.stop(grace))
        await asyncio.gather(*ends)
        if multiplexer is not None:
            await multiplexer.stop()

    async def _listen(self, server: grpc.aio.Server, address: str, tls: ServerTls | None) -> str:
        if self._multiplexer is None:
            return listen(server, address, tls)
        return await self._multiplexer.listen(address, tls.context() if tls else None)

    def _make_server(self, access: Access | None) -> grpc.aio.Server:
        options = self._options
        interceptors = [access, Parsing()] if access else [Parsing()]
        server = grpc.aio.server(interceptors=interceptors, options=_options(options.channelz))
        bridge_pb2_grpc.add_BridgeServicer_to_server(BridgeService(self._node), server)
        router_pb2_grpc.add_RouterServicer_to_server(self._control, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [BRIDGE, ROUTER, health.SERVICE_NAME, reflection.SERVICE_NAME]
        if options.channelz:
            names.append(_add_channelz(server))
        reflection.enable_server_reflection(names, server)
        return server


def _options(channelz: bool) -> list[tuple[str, Any]]:
    return [*OPTIONS, ("grpc.enable_channelz", int(channelz))]


def _add_channelz(server: grpc.aio.Server) -> str:
    """Add channelz, which comes in a distribution of its own; returns the service's name."""
    try:
        channelz = importlib.import_module("grpc_channelz.v1.channelz")
    except ImportError:
        text = "channelz: needs the package grpcio-channelz; `pip install grpcio-channelz`"
        raise ConfigError(text) from None
    channelz.add_channelz_servicer(server)
    return CHANNELZ
