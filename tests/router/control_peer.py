"""A router that is really served, with an edge at it and a stub in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from maim_protocol.v1 import delivery_pb2, router_pb2_grpc
from maim_router.auth.authentication import OpenAuth
from maim_router.grpc_server.server import RouterService, ServiceOptions
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions
from tests.router.answering_edge import AnsweringEdge

UNKNOWN = "b4d0cb0e-9a0a-4f35-9a5e-3b6a5b0b0b0b"
PAYLOAD = {
    "message_info": {"platform": "test", "message_id": "m-1", "time": 1700000000},
    "message_segment": {"type": "text", "data": "hello"},
    "message_dim": {"api_key": "anna", "platform": "test"},
}


@dataclass
class Served:
    """What a test of the control API needs."""

    node: Node
    edge: AnsweringEdge
    address: str
    stub: Any


@asynccontextmanager
async def serve(node: Node | None = None, **options: Any) -> AsyncIterator[Served]:
    """Serve a node (one that lets everybody in unless given) on a free port."""
    node = node or Node(Hooks(), OpenAuth(), NodeOptions(stop_timeout=0.1))
    service = RouterService(node, ServiceOptions(("127.0.0.1:0",), **options))
    await service.start()
    address = service.addresses[0]
    try:
        async with (
            AnsweringEdge().attached(node) as edge,
            grpc.aio.insecure_channel(address) as channel,
        ):
            yield Served(node, edge, address, router_pb2_grpc.RouterStub(channel))
    finally:
        await node.stop()
        await service.stop(0.1)


def message(
    text: str = "hello", api_key: str = "anna", platform: str = "test"
) -> delivery_pb2.Message:
    """Make a typed message."""
    made = delivery_pb2.Message(
        message_info=delivery_pb2.MessageInfo(platform=platform, message_id="m-1", time=1700000000),
        message_dim=delivery_pb2.MessageDim(api_key=api_key, platform=platform),
    )
    made.message_segment.type = "text"
    made.message_segment.data.string_value = text
    return made


def violation(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """Read the field and the description of a bad request."""
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT, error
    detail = error_details_pb2.BadRequest()
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.details[0].Unpack(detail)
    found = detail.field_violations[0]
    return found.field, found.description


def reason(error: grpc.aio.AioRpcError) -> str:
    """Read the reason of any other status."""
    detail = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.details[0].Unpack(detail)
    assert detail.domain == "maim.v1"
    return detail.reason
