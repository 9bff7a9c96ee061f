"""`GrpcBridge` keeps the contract of a bridge, to grpcio, and through a port multiplexer."""

from __future__ import annotations

import pytest

from maim_edge.bridge import Bridge
from maim_edge.bridge.transports.grpc import Credentials, GrpcBridge
from tests.edge.bridge.socket_bridge_contract import (
    Dial,
    Serving,
    SocketBridgeContract,
    grpc_served,
    multiplexed,
)


@pytest.fixture
def dialing() -> Dial:
    """Call by grpcio."""

    def dial(targets: list[str], timeout: float) -> Bridge:
        return GrpcBridge(targets, timeout=timeout)

    return dial


class TestGrpcBridge(SocketBridgeContract):
    @pytest.fixture
    def serving(self) -> Serving:
        """Serve by grpcio."""
        return grpc_served


class TestGrpcBridgeThroughThePortMultiplexer(SocketBridgeContract):
    @pytest.fixture
    def serving(self) -> Serving:
        """Serve by grpcio behind the port multiplexer."""
        return multiplexed


def test_credentials_are_not_shown() -> None:
    credentials = Credentials(token="hidden-token", private_key=b"hidden-key")
    assert "hidden" not in f"{credentials!r} {credentials}"
