"""Edges that attach over thin streams are served and refused as those over grpcio are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maim_protocol.bridge.frames import PROTOCOL_VERSION, EdgeStream
from maim_protocol.http2 import THIN_STREAM, CallFailed, CallStream, Status, dial
from maim_protocol.v1 import bridge_pb2 as pb
from maim_router.auth.authentication import OpenAuth
from maim_router.auth.credentials.tokens import Tokens
from maim_router.grpc_server.server import RouterService, ServiceOptions
from maim_router.hooks.callbacks import Hooks
from maim_router.node import Node, NodeOptions

ATTACH = "/maim.v1.Bridge/Attach"
HELLO = pb.Hello(edge_id="edge", epoch=1, protocol_version=PROTOCOL_VERSION, address="127.0.0.1:1")


@dataclass
class Router:
    """A service that runs."""

    service: RouterService
    node: Node

    async def call(self, path: str = ATTACH, token: str | None = None) -> CallStream:
        """Call as an edge of ours does."""
        announced = {THIN_STREAM: 1}
        return await dial(self.service.addresses[0], path, token=token, announced=announced)

    async def end_of(
        self, first: bytes | None = None, path: str = ATTACH, token: str | None = None
    ) -> tuple[Status, str]:
        """Call, send one message, and read to the end; returns how it ended."""
        call = await self.call(path, token)
        try:
            if first is not None:
                call.write(first)
            while await call.read() is not None:
                pass
        except CallFailed as problem:
            return problem.status, problem.text
        finally:
            await call.close()
        return Status.OK, ""


@asynccontextmanager
async def serving(bridge: str, **options: Any) -> AsyncIterator[Router]:
    node = Node(Hooks(), OpenAuth(), NodeOptions(hello_timeout=20, stop_timeout=0))
    wanted = ServiceOptions(["127.0.0.1:0"], bridge=bridge, **options)  # type: ignore[arg-type]
    service = RouterService(node, wanted)
    await service.start()
    try:
        async with asyncio.timeout(30):
            yield Router(service, node)
    finally:
        await node.stop()
        await service.stop(0.1)


def hello(**more: Any) -> bytes:
    made = pb.EdgeFrame(hello=HELLO)
    for name, value in more.items():
        setattr(made.hello, name, value)
    return made.SerializeToString()


async def welcomed(call: CallStream) -> None:
    """Read the welcome of the router."""
    frame = await call.read()
    assert frame is not None
    assert pb.RouterFrame.FromString(frame).HasField("welcome")


@pytest.mark.parametrize(
    ("first", "status", "text"),
    [
        (hello(protocol_version=99), Status.FAILED_PRECONDITION, "expected bridge protocol"),
        (hello(address="192.0.2.1:1"), Status.FAILED_PRECONDITION, "lets everybody in"),
        (hello(edge_id=""), Status.INVALID_ARGUMENT, "edge_id: expected 1 to 128"),
        (b"", Status.INVALID_ARGUMENT, "expected a hello in the first frame"),
    ],
)
async def test_a_refused_edge_is_told_the_same(
    bridge: str, first: bytes, status: Status, text: str
) -> None:
    async with serving(bridge) as router:
        got, why = await router.end_of(first)
        assert got is status
        assert text in why
        assert list(router.node.links) == []


async def test_an_earlier_run_of_an_edge_is_refused(bridge: str) -> None:
    async with serving(bridge) as router:
        call = await router.call()
        call.write(hello(epoch=2))
        await welcomed(call)
        status, text = await router.end_of(hello(epoch=1))
        assert status is Status.ABORTED
        assert text == "a later run of the edge edge is attached"
        await call.close()


async def test_tokens_are_asked_for_with_the_same_answers(bridge: str, tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.toml", create=True)
    good = tokens.add("edge", ["bridge"]).token
    other = tokens.add("backend", ["read", "send"])
    async with serving(bridge, authenticate=tokens.authenticate) as router:
        missing = "expected a bearer token in the metadata, got none"
        assert await router.end_of() == (Status.UNAUTHENTICATED, missing)
        unknown = "the token is unknown or was revoked"
        assert await router.end_of(token="nope") == (Status.UNAUTHENTICATED, unknown)
        scope = f"expected a token with the scope bridge, {other.id} has read, send"
        assert await router.end_of(token=other.token) == (Status.PERMISSION_DENIED, scope)
        call = await router.call(token=good)
        call.write(hello())
        await welcomed(call)
        await call.close()


async def test_another_method_is_refused_with_the_same_answer(bridge: str, tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.toml", create=True)
    admin = tokens.add("admin", ["admin"]).token
    edge = tokens.add("edge", ["bridge"]).token
    async with serving(bridge, authenticate=tokens.authenticate) as router:
        path = "/maim.v1.Bridge/Nothing"
        assert await router.end_of(b"", path, edge) == (Status.UNIMPLEMENTED, "Method not found!")
        status, _ = await router.end_of(b"", "/maim.v2.Other/Method", edge)
        assert status is Status.PERMISSION_DENIED
        status, _ = await router.end_of(b"", "/maim.v2.Other/Method", admin)
        assert status is Status.UNIMPLEMENTED


async def test_bytes_that_are_no_frame_end_the_attachment() -> None:
    async with serving("http2") as router:
        status, text = await router.end_of(b"\xff\xff")
        assert status is Status.INVALID_ARGUMENT
        assert text.startswith("expected an EdgeFrame")


async def test_an_edge_that_leaves_is_forgotten(bridge: str) -> None:
    async with serving(bridge) as router:
        call = await router.call()
        call.write(hello())
        await welcomed(call)
        [link] = router.node.links
        await call.close()
        await link.lost.wait()
        assert list(router.node.links) == []


async def test_a_bug_is_told_to_the_log_and_not_to_the_edge(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(stream: EdgeStream) -> None:
        raise RuntimeError("a secret of the router")

    async with serving("http2") as router:
        monkeypatch.setattr(router.node, "serve_edge", fail)
        status, text = await router.end_of()
        assert status is Status.UNKNOWN
        assert "secret" not in text
        assert "a secret of the router" in caplog.text


async def test_stopping_ends_attachments_that_do_not_end_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = asyncio.Event()

    async def serve_for_ever(stream: EdgeStream) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with serving("http2") as router:
        monkeypatch.setattr(router.node, "serve_edge", serve_for_ever)
        ending = asyncio.ensure_future(router.end_of())
        await begun.wait()
        await router.service.stop(0.01)
        assert await ending == (Status.UNAVAILABLE, "the router is stopping")


async def test_the_token_is_in_no_line_of_the_log(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG")
    tokens = Tokens(tmp_path / "tokens.toml", create=True)
    good = tokens.add("edge", ["bridge"]).token
    async with serving("http2", authenticate=tokens.authenticate) as router:
        for token in (good, "sesame-4711-open"):
            await router.end_of(b"", token=token)
    assert good not in caplog.text
    assert "sesame" not in caplog.text
