"""Who may call what, with real tokens over real gRPC."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from maim_protocol.bridge.frames import PROTOCOL_VERSION
from maim_protocol.errors import ConfigError
from maim_protocol.v1 import bridge_pb2, bridge_pb2_grpc, router_pb2_grpc
from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth.authentication import OpenAuth
from maim_router.auth.credentials.tokens import SCOPES, Tokens
from maim_router.control_client.client import ControlClient, ControlError
from maim_router.grpc_server.access import scope_of
from maim_router.grpc_server.server import RouterService, ServiceOptions
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node
from tests.router.control_peer import PAYLOAD, Served, reason, serve

ALL_METHODS = pb.DESCRIPTOR.services_by_name["Router"].methods_by_name


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.toml", create=True)


@pytest.fixture
async def guarded(tokens: Tokens, bridge: str) -> AsyncIterator[Served]:
    async with serve(authenticate=tokens.authenticate, bridge=bridge) as served:
        yield served


async def status_of(served: Served, method: str, token: str) -> grpc.StatusCode:
    """Call a method with an empty request and tell how it ended."""
    request, call = getattr(pb, f"{method}Request")(), getattr(served.stub, method)
    if ALL_METHODS[method].server_streaming:
        request.from_seq = 1_000_000  # nobody knows of it, so that the stream ends
        return await end_of(call(request, metadata=bearer(token)))
    try:
        await call(request, metadata=bearer(token))
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def attach_status(served: Served, token: str) -> grpc.StatusCode:
    """Attach an edge with a hello and end the stream; tell how it ended."""
    hello = bridge_pb2.Hello(
        edge_id="edge-9", epoch=1, protocol_version=PROTOCOL_VERSION, address="127.0.0.1:1"
    )
    async with grpc.aio.insecure_channel(served.address) as channel:
        call = bridge_pb2_grpc.BridgeStub(channel).Attach(
            iter([bridge_pb2.EdgeFrame(hello=hello)]), metadata=bearer(token)
        )
        return await end_of(call)


async def end_of(call: Any) -> grpc.StatusCode:
    """Read a stream to its end and tell how it ended."""
    with contextlib.suppress(grpc.aio.AioRpcError):
        async for _ in call:
            pass
    return await call.code()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),) if token else ()


@pytest.mark.parametrize("method", ALL_METHODS)
async def test_every_method_needs_exactly_its_scope(
    guarded: Served, tokens: Tokens, method: str
) -> None:
    needed = scope_of(f"/maim.v1.Router/{method}")
    for scope in SCOPES:
        token = tokens.add(f"only-{scope}", [scope]).token
        denied = await status_of(guarded, method, token) is grpc.StatusCode.PERMISSION_DENIED
        assert denied == (scope != needed), scope


async def test_only_the_bridge_scope_attaches_an_edge(guarded: Served, tokens: Tokens) -> None:
    good = tokens.add("edge", ["bridge"]).token
    other = tokens.add("backend", ["read", "send", "admin"]).token
    assert await attach_status(guarded, good) is grpc.StatusCode.OK
    assert await attach_status(guarded, other) is grpc.StatusCode.PERMISSION_DENIED
    assert await attach_status(guarded, "") is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ((), "TOKEN_MISSING"),
        ((("authorization", "Basic dXNlcg=="),), "TOKEN_MISSING"),
        ((("authorization", "Bearer "),), "TOKEN_MISSING"),
        (bearer("maim_aaaa_nothing"), "TOKEN_INVALID"),
    ],
)
async def test_a_call_without_a_valid_token_is_unauthenticated(
    guarded: Served, metadata: tuple[tuple[str, str], ...], why: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await guarded.stub.GetStats(pb.GetStatsRequest(), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason(caught.value) == why
    assert "nothing" not in str(caught.value)


async def test_a_revoked_token_is_worth_nothing_at_once(guarded: Served, tokens: Tokens) -> None:
    issued = tokens.add("backend", ["read"])
    assert await status_of(guarded, "GetStats", issued.token) is grpc.StatusCode.OK
    tokens.revoke(issued.id)
    status = await status_of(guarded, "GetStats", issued.token)
    assert status is grpc.StatusCode.UNAUTHENTICATED


async def test_health_is_open_to_everybody(guarded: Served) -> None:
    async with grpc.aio.insecure_channel(guarded.address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service="maim.v1.Router")
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_needs_a_token_of_any_scope(guarded: Served, tokens: Tokens) -> None:
    async def reflect(token: str) -> grpc.StatusCode:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async with grpc.aio.insecure_channel(guarded.address) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            call = stub.ServerReflectionInfo(iter([request]), metadata=bearer(token))
            return await end_of(call)

    assert await reflect(tokens.add("any", ["bridge"]).token) is grpc.StatusCode.OK
    assert await reflect("") is grpc.StatusCode.UNAUTHENTICATED


async def test_a_method_that_nobody_serves_needs_admin_to_be_told(
    guarded: Served, tokens: Tokens
) -> None:
    async def call(token: str) -> grpc.StatusCode:
        async with grpc.aio.insecure_channel(guarded.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await channel.unary_unary("/maim.v2.Router/Nope")(b"", metadata=bearer(token))
        return caught.value.code()

    assert await call("") is grpc.StatusCode.UNAUTHENTICATED
    assert await call(tokens.add("r", ["read"]).token) is grpc.StatusCode.PERMISSION_DENIED
    assert await call(tokens.add("a", ["admin"]).token) is grpc.StatusCode.UNIMPLEMENTED


async def test_the_client_of_the_commands_brings_its_token(guarded: Served, tokens: Tokens) -> None:
    await guarded.edge.admitted("anna")
    token = tokens.add("cli", ["read", "send"]).token
    async with ControlClient(guarded.address, token) as client:
        assert (await client.send_message(user="anna", platform="test", text="x"))["outcome"]
        with pytest.raises(ControlError, match="expected a token with the scope admin"):
            await client.disconnect(user="anna")
    async with ControlClient(guarded.address) as client:
        with pytest.raises(ControlError, match="give a token in MAIM_TOKEN"):
            await client.list_users()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:50051", "example.org:1"])
async def test_nothing_but_this_machine_is_served_without_tokens(address: str, bridge: Any) -> None:
    service = RouterService(Node(Hooks(), OpenAuth()), ServiceOptions([address], bridge=bridge))
    with pytest.raises(ConfigError, match="MAIM_ROUTER_TOKENS_FILE") as caught:
        await service.start()
    assert "\n" not in str(caught.value)


async def test_any_address_is_served_with_tokens(tokens: Tokens, bridge: Any) -> None:
    options = ServiceOptions(["0.0.0.0:0"], authenticate=tokens.authenticate, bridge=bridge)
    service = RouterService(Node(Hooks(), OpenAuth()), options)
    await service.start()
    port = service.addresses[0].rpartition(":")[2]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router_pb2_grpc.RouterStub(channel).SendMessage(
                pb.SendMessageRequest(message_json=str(PAYLOAD).encode())
            )
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    await service.stop(0.1)
