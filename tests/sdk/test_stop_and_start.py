"""What a stopped client has not handed to a callback comes again, and is handed over then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase
from tests.sdk.edge import MESSAGE, Edge, send, soon, until

TEXTS = [str(number) for number in range(5)]
Handle = Callable[[str], Awaitable[None]]


def client_of(edge: Edge, handle: Handle, max_handler_tasks: int = 1) -> WebSocketClient:
    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        await handle(metadata["msg_id"])

    return WebSocketClient(
        create_client_config(
            edge.url, "k", "qq", on_message=on_message, max_handler_tasks=max_handler_tasks
        )
    )


async def deliver(edge: Edge, client: WebSocketClient, msg_ids: list[str]) -> None:
    """Send messages on the next link, and wait until the client has read all of them."""
    link = await edge.next_link()
    read = client.get_stats()["messages_received"]
    for msg_id in msg_ids:
        await send(link, "sys_std", MESSAGE, {"sender_user": "u"}, msg_id)
    await until(lambda: client.get_stats()["messages_received"] == read + len(msg_ids))


async def acked(edge: Edge, number: int) -> list[str]:
    return [(await edge.next_ack())["meta"]["acked_msg_id"] for _ in range(number)]


async def test_messages_that_wait_while_a_callback_stops_the_client_are_new_when_they_come_again(
    edge: Edge,
) -> None:
    handled: list[str] = []
    may_stop, stopped = asyncio.Event(), asyncio.Event()

    async def handle(msg_id: str) -> None:
        handled.append(msg_id)
        if msg_id == "0":
            await may_stop.wait()
            await client.stop()
            stopped.set()

    client = client_of(edge, handle)
    async with client:
        await deliver(edge, client, TEXTS)
        assert await acked(edge, 1) == ["0"]
        may_stop.set()
        await soon(stopped.wait())
        assert edge.acks.empty()
        await client.start()
        assert await client.connect()
        await deliver(edge, client, TEXTS)
        assert await acked(edge, 5) == TEXTS
        assert handled == TEXTS
        assert client.get_stats()["duplicate_messages_ignored"] == 1


async def test_what_a_stop_cut_off_or_kept_waiting_is_handed_over_when_it_comes_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_message.client.connection.pool.STOP_GRACE_SECONDS", 0.01)
    hanging = asyncio.Event()
    handled: list[str] = []

    async def handle(msg_id: str) -> None:
        handled.append(msg_id)
        await hanging.wait()

    client = client_of(edge, handle)
    async with client:
        await deliver(edge, client, TEXTS)
    assert handled == ["0"]
    hanging.set()
    async with client:
        await deliver(edge, client, TEXTS)
        await until(lambda: len(handled) == 6)
    assert handled == ["0", *TEXTS]


async def test_a_repetition_that_comes_while_the_first_waits_is_ignored(edge: Edge) -> None:
    go_on = asyncio.Event()
    handled: list[str] = []

    async def handle(msg_id: str) -> None:
        handled.append(msg_id)
        await go_on.wait()

    client = client_of(edge, handle)
    async with client:
        await deliver(edge, client, ["0", "1", "1", "2"])
        go_on.set()
        assert await acked(edge, 4) == ["0", "1", "1", "2"]
        assert handled == ["0", "1", "2"]
        assert client.get_stats()["duplicate_messages_ignored"] == 1
