"""Bytes that are no request, sent to every method of the control API over real gRPC."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from maim_protocol.v1 import router_pb2 as pb
from maim_router.auth.credentials.tokens import Tokens
from maim_router.grpc_server.access import scope_of
from tests.router.control_peer import Served, serve, violation

METHODS = [
    *(
        f"/maim.v1.Router/{name}"
        for name in pb.DESCRIPTOR.services_by_name["Router"].methods_by_name
    ),
    *(f"/grpc.health.v1.Health/{name}" for name in ("Check", "Watch")),
]
# A tag that no field can have, and a text that is no UTF-8.
BAD = [b"\xff\xff\xff", b"\x1a\x02\xff\xfe"]


async def refused(address: str, method: str, wire: bytes, token: str = "") -> grpc.aio.AioRpcError:
    """How a call fails; to the wire, a stream of one answer is that answer."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    async with grpc.aio.insecure_channel(address) as channel:
        call: Any = channel.unary_unary(method)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(wire, metadata=metadata)
    return caught.value


@pytest.mark.parametrize("method", METHODS)
async def test_bytes_that_are_no_request_are_an_invalid_argument(
    served: Served, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        error = await refused(served.address, method, BAD[0])
    text = f"expected the message of {method}, got 3 bytes that are none"
    assert violation(error) == ("request", text)
    assert caplog.records == []


async def test_a_text_that_is_no_utf8_is_an_invalid_argument(served: Served) -> None:
    error = await refused(served.address, "/maim.v1.Router/SendMessage", BAD[1])
    assert violation(error)[0] == "request"


@pytest.mark.parametrize("method", [method for method in METHODS if scope_of(method)])
async def test_who_may_call_is_asked_before_what(
    tmp_path: Path, bridge: str, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = Tokens(tmp_path / "tokens.toml", create=True)
    async with serve(authenticate=tokens.authenticate, bridge=bridge) as guarded:
        for wire in BAD:
            with caplog.at_level(logging.WARNING):
                for token in ("", "maim_aaaa_nothing"):
                    error = await refused(guarded.address, method, wire, token)
                    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
        every = tokens.add("every", ["read", "send", "admin"]).token
        assert violation(await refused(guarded.address, method, BAD[0], every))[0] == "request"
    assert [record for record in caplog.records if record.exc_info] == []


async def test_health_is_still_told(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.address) as channel:
        call: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = health_pb2.HealthCheckResponse.FromString(await call(b""))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
