"""An `async with` that does not come to its body leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Union

import pytest
import pytest_asyncio

from maim_message.client import (
    WebSocketClient,
    WebSocketMultiClient,
    create_client_config,
    create_multi_client_config,
)
from tests.sdk.edge import soon, until

Client = Union[WebSocketClient, WebSocketMultiClient]


class SilentPort:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self.url = ""
        self.opened: asyncio.Queue[None] = asyncio.Queue()
        self.closed: asyncio.Queue[None] = asyncio.Queue()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened.put_nowait(None)
        try:
            await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
            self.closed.put_nowait(None)


@pytest_asyncio.fixture
async def port(no_task_is_left: None) -> AsyncIterator[SilentPort]:
    port = SilentPort()
    async with await asyncio.start_server(port.take, "localhost", 0) as server:
        port.url = f"ws://localhost:{server.sockets[0].getsockname()[1]}/ws"
        yield port


def single(port: SilentPort) -> Client:
    return WebSocketClient(create_client_config(port.url, "k", "qq"))


def multi(port: SilentPort) -> Client:
    config = create_multi_client_config(auto_connect_on_start=True)
    config.register_connection("a", port.url, "k", "qq")
    return WebSocketMultiClient(config)


async def enter(client: Client) -> None:
    async with client:
        pytest.fail("nothing ever answered")


@pytest.mark.parametrize("make", [single, multi])
async def test_a_client_that_is_cancelled_while_it_enters_stops(
    port: SilentPort, make: Callable[[SilentPort], Client]
) -> None:
    client = make(port)
    entering = asyncio.create_task(enter(client))
    await soon(port.opened.get())
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not client.is_running()
    await soon(port.closed.get())
    await until(lambda: not [t for t in asyncio.all_tasks() if "maim" in t.get_name()])


async def test_a_client_that_cannot_enter_for_a_broken_config_stops() -> None:
    client = WebSocketMultiClient(create_multi_client_config(auto_connect_on_start=True))
    client.config.connections["a"] = object()  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        await enter(client)
    assert not client.is_running()
