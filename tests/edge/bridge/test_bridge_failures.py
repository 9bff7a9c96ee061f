"""The bridge client against routers that fail, refuse or end too early."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from maim_edge.bridge import LocalBridge
from maim_edge.bridge.attach import Identity
from maim_edge.bridge.client import BridgeClient
from maim_protocol.bridge.frames import EdgeFrame, EdgeStream, RouterFrame, RouterStream, Welcome
from maim_protocol.bridge.pace import AT_ONCE
from maim_protocol.errors import AttachProblem, AttachRefused, RouterUnavailable
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.bridge.silent_listener import SilentListener

IDENTITY = Identity("edge", 7, "127.0.0.1:1", 99)
SECONDS = 20.0


class Flaky:
    """A bridge whose first attempts fail in the ways that networks know."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.attempts = 0

    async def connect(self) -> RouterStream:
        self.attempts += 1
        if self.failures:
            raise self.failures.pop(0)
        return await LocalBridge(ScriptedRouter().serve).connect()

    async def close(self) -> None:
        return


async def test_failures_to_connect_are_tried_again() -> None:
    bridge = Flaky(RouterUnavailable("no"), OSError("no"), ConnectionError("no"), TimeoutError())
    client = BridgeClient(bridge, IDENTITY, SilentListener())
    running = asyncio.ensure_future(client.run())
    await asyncio.wait_for(client.wait_attached(), SECONDS)
    assert bridge.attempts == 5
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_a_refusal_of_the_first_router_ends_it_and_a_later_one_does_not() -> None:
    served = 0

    async def serve(stream: EdgeStream) -> None:
        nonlocal served
        served += 1
        await stream.read()
        if served == 2:
            raise AttachRefused(AttachProblem.EPOCH, "later")
        await stream.write(RouterFrame(welcome=Welcome("r")))
        if served > 2:
            await stream.read()

    client = BridgeClient(LocalBridge(serve), IDENTITY, SilentListener())
    running = asyncio.ensure_future(client.run())
    while client.reattached < 2:
        await asyncio.wait_for(client.wait_attached(), SECONDS)
        await asyncio.wait([running], timeout=0.01)
    assert served >= 3
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    async def refuse(stream: EdgeStream) -> None:
        raise AttachRefused(AttachProblem.EPOCH, "first")

    refused = BridgeClient(LocalBridge(refuse), IDENTITY, SilentListener())
    with pytest.raises(AttachRefused, match="first"):
        await asyncio.wait_for(refused.run(), SECONDS)


async def test_a_router_that_ends_before_its_welcome_is_tried_again() -> None:
    served = asyncio.Semaphore(0)

    async def serve(stream: EdgeStream) -> None:
        frame = await stream.read()
        assert isinstance(frame, EdgeFrame)
        served.release()

    client = BridgeClient(LocalBridge(serve), IDENTITY, SilentListener())
    running = asyncio.ensure_future(client.run())
    for _ in range(3):
        await asyncio.wait_for(served.acquire(), SECONDS)
    assert not client.attached
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


class Refusing:
    """A stream that has ended by the time the hello is written; only reading says why."""

    pace = AT_ONCE

    async def connect(self) -> RouterStream:
        return self

    async def write(self, frame: EdgeFrame) -> None:
        raise ConnectionError("the stream has ended")

    async def read(self) -> RouterFrame | None:
        raise AttachRefused(AttachProblem.TOKEN, "unknown token")

    async def close(self) -> None:
        return


async def test_the_reason_of_a_refusal_is_read_although_the_hello_could_not_be_written() -> None:
    client = BridgeClient(Refusing(), IDENTITY, SilentListener())
    with pytest.raises(AttachRefused, match="unknown token"):
        await asyncio.wait_for(client.run(), SECONDS)
