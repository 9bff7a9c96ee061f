"""`GrpcBridge` keeps the contract of a bridge, over a real gRPC server."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

from maim_edge.bridge import Bridge
from maim_edge.bridge.grpc import Credentials, GrpcBridge
from maim_protocol.errors import AttachProblem, AttachRefused, RouterUnavailable
from maim_protocol.frames import EdgeFrame, EdgeStream, RouterFrame, Welcome
from maim_protocol.v1 import bridge_pb2_grpc
from maim_router.service.attach import BridgeService
from maim_router.service.server import OPTIONS
from tests.edge.bridge_contract import EDGE_FRAME, BridgeContract, Connected, Serve, answer


@dataclass
class OneFunction:
    """As much of a node as the service needs."""

    serve_edge: Serve


@asynccontextmanager
async def grpc_server(serve: Serve, address: str = "127.0.0.1:0") -> AsyncIterator[int]:
    """Serve one function as `maim.v1.Bridge`; yields the port."""
    server = grpc.aio.server(options=OPTIONS)
    node: Any = OneFunction(serve)
    bridge_pb2_grpc.add_BridgeServicer_to_server(BridgeService(node), server)
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)
        del server
        await asyncio.sleep(0)


@asynccontextmanager
async def over_grpc(serve: Serve) -> AsyncIterator[Bridge]:
    async with grpc_server(serve) as port:
        bridge = GrpcBridge([f"127.0.0.1:{port}"])
        yield bridge
        await bridge.close()
        await bridge.close()


@pytest.fixture
def connected(caplog: pytest.LogCaptureFixture) -> Connected:
    """Make bridges to a function."""
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    return over_grpc


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def greet(stream: EdgeStream) -> None:
    await stream.read()
    await stream.write(RouterFrame(welcome=Welcome("router")))
    await stream.read()


class TestGrpcBridge(BridgeContract):
    async def test_an_unreachable_router_is_unavailable_at_once(self) -> None:
        bridge = GrpcBridge([f"127.0.0.1:{closed_port()}"], timeout=60)
        with pytest.raises(RouterUnavailable, match="no router can be reached there"):
            await asyncio.wait_for(bridge.connect(), 10)

    async def test_a_port_where_nobody_answers_is_unavailable_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            bridge = GrpcBridge([f"127.0.0.1:{silent.getsockname()[1]}"], timeout=0.2)
            with pytest.raises(RouterUnavailable, match=r"0\.2 s"):
                await asyncio.wait_for(bridge.connect(), 10)

    async def test_the_next_router_has_its_turn(self) -> None:
        async with grpc_server(greet) as port:
            bridge = GrpcBridge([f"127.0.0.1:{closed_port()}", f"127.0.0.1:{port}"])
            with pytest.raises(RouterUnavailable):
                await bridge.connect()
            stream = await bridge.connect()
            await stream.write(EDGE_FRAME)
            assert await answer(stream)
            await stream.close()

    async def test_a_router_that_comes_back_is_reached_again(self) -> None:
        port = closed_port()
        bridge = GrpcBridge([f"127.0.0.1:{port}"])
        for _ in range(2):
            with pytest.raises(RouterUnavailable):
                await bridge.connect()
            async with grpc_server(greet, f"127.0.0.1:{port}"):
                stream = await bridge.connect()
                await stream.write(EDGE_FRAME)
                assert await answer(stream)
                await stream.close()

    async def test_a_service_that_is_no_router_refuses(self) -> None:
        server = grpc.aio.server()
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stream = await GrpcBridge([f"127.0.0.1:{port}"]).connect()
        with pytest.raises(AttachRefused) as caught:
            await answer(stream)
        assert caught.value.problem is AttachProblem.PROTOCOL
        await stream.close()
        await server.stop(None)
        del server
        await asyncio.sleep(0)

    async def test_writing_to_a_stream_that_was_refused_is_a_lost_connection(self) -> None:
        async def serve(stream: EdgeStream) -> None:
            raise AttachRefused(AttachProblem.EPOCH, "no")

        async def write_for_ever(stream: Any) -> None:
            while True:
                await stream.write(EdgeFrame())

        async with over_grpc(serve) as bridge:
            stream = await bridge.connect()
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(write_for_ever(stream), 10)
            # gRPC may have put the failure of the write in the place of the reason.
            with pytest.raises((AttachRefused, ConnectionError)):
                await answer(stream)
            await stream.close()

    async def test_credentials_are_not_shown(self) -> None:
        credentials = Credentials(token="hidden-token", private_key=b"hidden-key")
        assert "hidden" not in f"{credentials!r} {credentials}"
