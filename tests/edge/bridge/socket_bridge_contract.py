"""What holds for every bridge over sockets: the suite of all bridges, and how routers are tried."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from maim_edge.bridge import Bridge
from maim_protocol.bridge.frames import EdgeFrame, EdgeStream, RouterFrame, Welcome
from maim_protocol.errors import AttachProblem, AttachRefused, RouterUnavailable
from maim_protocol.v1 import bridge_pb2_grpc
from maim_router.grpc_server.attach_grpc import BridgeService
from maim_router.grpc_server.listening import listen
from maim_router.grpc_server.port_multiplexer import make_port_multiplexer
from maim_router.grpc_server.server import OPTIONS
from maim_runtime.http import HttpServer, admin_app, bind, bound_port
from tests.edge.bridge.bridge_contract import EDGE_FRAME, BridgeContract, Connected, Serve, answer

Dial = Callable[[list[str], float], Bridge]
Serving = Callable[[Serve, str], AbstractAsyncContextManager[str]]
ANY_PORT = "127.0.0.1:0"


@dataclass
class OneFunction:
    """As much of a node as the service needs."""

    serve_edge: Serve


@asynccontextmanager
async def grpc_served(serve: Serve, address: str = ANY_PORT) -> AsyncIterator[str]:
    """Serve one function as `maim.v1.Bridge` by grpcio; yields where."""
    server = _grpc_server(OneFunction(serve))
    bound = listen(server, address, None)
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(None)
        del server
        await asyncio.sleep(0)


@asynccontextmanager
async def multiplexed(serve: Serve, address: str = ANY_PORT) -> AsyncIterator[str]:
    """Serve one function by thin streams, and by grpcio behind the same port; yields where."""
    node: Any = OneFunction(serve)
    server = _grpc_server(node)
    multiplexer = make_port_multiplexer(node, None)
    assert multiplexer is not None
    listen(server, multiplexer.grpc_address, None)
    await server.start()
    bound = await multiplexer.listen(address, None)
    try:
        yield bound
    finally:
        await asyncio.gather(multiplexer.drain(0), server.stop(None))
        await multiplexer.stop()
        del server
        await asyncio.sleep(0)


def _grpc_server(node: Any) -> grpc.aio.Server:
    server = grpc.aio.server(options=OPTIONS)
    bridge_pb2_grpc.add_BridgeServicer_to_server(BridgeService(node), server)
    return server


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def attach(stream: EdgeStream) -> None:
    await stream.read()
    await stream.write(RouterFrame(welcome=Welcome("router")))
    await stream.read()


class SocketBridgeContract(BridgeContract):
    """Subclasses have the fixtures `dialing` and `serving`: who calls, and who is called."""

    @pytest.fixture
    def connected(self, dialing: Dial, serving: Serving) -> Connected:
        """Make bridges to a function."""
        logging.getLogger("grpc").setLevel(logging.CRITICAL)

        @asynccontextmanager
        async def connect(serve: Serve) -> AsyncIterator[Bridge]:
            async with serving(serve, ANY_PORT) as target:
                bridge = dialing([target], 5.0)
                yield bridge
                await bridge.close()
                await bridge.close()

        return connect

    async def test_an_unreachable_router_is_unavailable_at_once(self, dialing: Dial) -> None:
        bridge = dialing([f"127.0.0.1:{closed_port()}"], 60)
        with pytest.raises(RouterUnavailable, match="no router can be reached there"):
            await asyncio.wait_for(bridge.connect(), 10)

    async def test_an_address_of_an_http1_server_is_named(self, dialing: Dial) -> None:
        server = HttpServer()
        sock = bind("127.0.0.1", 0)
        await server.start(admin_app(lambda: None), sock)
        bridge = dialing([f"127.0.0.1:{bound_port(sock)}"], 10)
        with pytest.raises(RouterUnavailable, match="expected HTTP/2, the peer speaks HTTP/1"):
            await asyncio.wait_for(bridge.connect(), 20)
        await server.stop(0)

    async def test_an_address_that_expects_tls_is_named(self, dialing: Dial) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("localhost").configure_cert(context)
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        async with server:
            bridge = dialing([f"127.0.0.1:{server.sockets[0].getsockname()[1]}"], 10)
            with pytest.raises(RouterUnavailable, match="a server that expects TLS does that"):
                await asyncio.wait_for(bridge.connect(), 20)

    async def test_a_port_where_nobody_answers_is_unavailable_in_time(self, dialing: Dial) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            bridge = dialing([f"127.0.0.1:{silent.getsockname()[1]}"], 0.2)
            with pytest.raises(RouterUnavailable, match=r"0\.2 s"):
                await asyncio.wait_for(bridge.connect(), 10)

    async def test_the_next_router_has_its_turn(self, dialing: Dial, serving: Serving) -> None:
        async with serving(attach, ANY_PORT) as target:
            bridge = dialing([f"127.0.0.1:{closed_port()}", target], 5)
            with pytest.raises(RouterUnavailable):
                await bridge.connect()
            await self.is_greeted(bridge)

    async def test_a_router_that_comes_back_is_reached_again(
        self, dialing: Dial, serving: Serving
    ) -> None:
        target = f"127.0.0.1:{closed_port()}"
        bridge = dialing([target], 5)
        for _ in range(2):
            with pytest.raises(RouterUnavailable):
                await bridge.connect()
            async with serving(attach, target):
                await self.is_greeted(bridge)

    async def test_every_form_of_an_address_is_reached(
        self, dialing: Dial, serving: Serving, tmp_path: Path
    ) -> None:
        async with serving(attach, ANY_PORT) as target:
            await self.is_greeted(dialing([f"dns:///localhost:{target.split(':')[1]}"], 5))
        async with serving(attach, f"unix:{tmp_path}/router") as target:
            await self.is_greeted(dialing([target], 5))

    async def test_a_service_that_is_no_router_refuses(self, dialing: Dial) -> None:
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stream = await dialing([f"127.0.0.1:{port}"], 5).connect()
        with pytest.raises(AttachRefused) as caught:
            await answer(stream)
        assert caught.value.problem is AttachProblem.PROTOCOL
        await stream.close()
        await server.stop(None)
        del server
        await asyncio.sleep(0)

    async def test_writing_to_a_stream_that_was_refused_is_a_lost_connection(
        self, connected: Connected
    ) -> None:
        async def serve(stream: EdgeStream) -> None:
            raise AttachRefused(AttachProblem.EPOCH, "no")

        async def write_for_ever(stream: Any) -> None:
            while True:
                await stream.write(EdgeFrame())
                await asyncio.sleep(0)

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(write_for_ever(stream), 10)
            # gRPC may have put the failure of the write in the place of the reason.
            with pytest.raises((AttachRefused, ConnectionError)):
                await answer(stream)
            await stream.close()

    async def test_a_writer_waits_for_a_router_that_reads_nothing(
        self, connected: Connected
    ) -> None:
        end = asyncio.Event()

        async def serve(stream: EdgeStream) -> None:
            await end.wait()

        async def write_for_ever(stream: Any) -> None:
            while True:
                await stream.write(EDGE_FRAME)

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            with pytest.raises(TimeoutError):  # it neither breaks nor goes on for ever
                await asyncio.wait_for(write_for_ever(stream), 0.5)
            end.set()
            await stream.close()

    async def is_greeted(self, bridge: Bridge) -> None:
        """Attach and be welcomed."""
        stream = await bridge.connect()
        await stream.write(EDGE_FRAME)
        assert await answer(stream)
        await stream.close()
