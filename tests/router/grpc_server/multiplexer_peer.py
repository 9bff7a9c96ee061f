"""A router behind its door, and whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from maim_router.auth.authentication import OpenAuth
from maim_router.grpc_server.server import RouterService, ServiceOptions
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node


def node() -> Node:
    """A node that lets everybody in."""
    return Node(Hooks(), OpenAuth())


async def connect(target: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to `host:port`."""
    host, _, port = target.rpartition(":")
    return await asyncio.open_connection(host, int(port))


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[RouterService]:
    """A whole router behind its multiplexer."""
    wanted = ServiceOptions(**({"addresses": ["127.0.0.1:0"], "bridge": "http2"} | options))
    service = RouterService(node(), wanted)
    await service.start()
    try:
        async with asyncio.timeout(30):
            yield service
    finally:
        await service.stop(0.1)


async def healthy(channel: grpc.aio.Channel) -> bool:
    """Ask for health."""
    request = health_pb2.HealthCheckRequest(service="maim.v1.Router")
    answer = await health_pb2_grpc.HealthStub(channel).Check(request, wait_for_ready=False)
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
