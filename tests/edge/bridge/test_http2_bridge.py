"""`Http2Bridge` keeps the contract of a bridge, to thin streams and to grpcio."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys

import pytest

from maim_edge.bridge import Bridge
from maim_edge.bridge.transports.grpc import GrpcBridge
from maim_edge.bridge.transports.http2 import Http2Bridge
from maim_edge.service.process import make_bridge
from maim_edge.settings import EdgeSettings
from maim_protocol.bridge.frames import SENT, EdgeFrame, EdgeStream
from maim_protocol.errors import RouterUnavailable
from maim_protocol.http2 import CallStream
from tests.edge.bridge.bridge_contract import answer
from tests.edge.bridge.socket_bridge_contract import (
    Dial,
    Serving,
    SocketBridgeContract,
    closed_port,
    grpc_served,
    multiplexed,
)
from tests.protocol.http2.serving import thin_server


@pytest.fixture
def dialing() -> Dial:
    """Call by thin streams."""

    def dial(targets: list[str], timeout: float) -> Bridge:
        return Http2Bridge(targets, timeout=timeout)

    return dial


class TestHttp2Bridge(SocketBridgeContract):
    @pytest.fixture
    def serving(self) -> Serving:
        """Serve by thin streams."""
        return multiplexed


class TestHttp2BridgeToGrpcio(SocketBridgeContract):
    @pytest.fixture
    def serving(self) -> Serving:
        """Serve by grpcio."""
        return grpc_served


async def test_the_reason_is_told_why_a_router_cannot_be_reached() -> None:
    bridge = Http2Bridge([f"127.0.0.1:{closed_port()}"])
    with pytest.raises(RouterUnavailable, match=r"(?i)\(connect.*\)$"):
        await bridge.connect()


async def test_a_router_without_the_tls_that_was_expected_is_named() -> None:
    async with thin_server() as target:
        bridge = Http2Bridge([target], tls=ssl.create_default_context())
        with pytest.raises(RouterUnavailable, match="expected TLS, the peer speaks something else"):
            await bridge.connect()


async def test_a_router_that_answers_no_frame_is_a_lost_connection() -> None:
    async def serve(stream: CallStream) -> None:
        stream.write(b"\xff")
        await stream.read()

    async with thin_server(serve) as target:
        stream = await Http2Bridge([target]).connect()
        with pytest.raises(ConnectionError, match=target):
            await answer(stream)
        await stream.close()


async def test_a_frame_that_leaves_at_once_has_nothing_to_wait_for() -> None:
    read = asyncio.Event()

    async def serve(stream: EdgeStream) -> None:
        await stream.read()
        read.set()

    async with multiplexed(serve) as target:
        stream = await Http2Bridge([target]).connect()
        assert stream.write(EdgeFrame(taken_through=1)) is SENT
        await asyncio.wait_for(read.wait(), 20)
        await stream.close()


def test_the_settings_choose_the_bridge() -> None:
    assert isinstance(make_bridge(EdgeSettings(bridge="http2")), Http2Bridge)
    assert isinstance(make_bridge(EdgeSettings(bridge="grpc")), GrpcBridge)


def test_an_edge_without_grpcio_does_not_load_it() -> None:
    modules = "maim_edge.service.process, maim_edge.bridge.transports.http2"
    code = f"import sys, {modules}; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
