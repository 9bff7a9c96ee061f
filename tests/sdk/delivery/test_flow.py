"""When callbacks or the network are slow, reading waits, in bounds and without a loss."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase
from tests.sdk.edge import MESSAGE, Edge, send, soon, until


def config(edge: Edge, **settings: Any) -> Any:
    return create_client_config(edge.url, "k", "qq", **settings)


async def test_reading_waits_while_too_many_messages_wait_for_their_turn(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_message.client.callbacks.dispatcher.MOST_WAITING", 5)
    go_on = asyncio.Event()
    started: list[str] = []

    async def on_message(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        started.append(metadata["msg_id"])
        await go_on.wait()

    large = {**MESSAGE, "message_segment": {"type": "text", "data": "x" * 20_000}}
    expected = [str(number) for number in range(1000)]

    async def send_all() -> None:
        for msg_id in expected:
            await send(link, "sys_std", large, msg_id=msg_id)

    async with WebSocketClient(config(edge, on_message=on_message, max_handler_tasks=1)) as client:
        link = await edge.next_link()
        sending = asyncio.create_task(send_all())
        await until(lambda: link.paused and client.get_stats()["messages_received"] == 6)
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.get_stats()["messages_received"] == 6
        assert started == ["0"]
        assert (await edge.next_ack())["meta"]["acked_msg_id"] == "0"
        go_on.set()
        await soon(sending)
        acked = [(await edge.next_ack())["meta"]["acked_msg_id"] for _ in expected[1:]]
        assert started == expected
        assert acked == expected[1:]


async def test_acknowledgements_wait_for_a_network_that_takes_no_data_and_reading_for_them(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_message.client.delivery.link.MOST_OWED", 2)
    events: list[str] = []
    settings = config(edge, on_message=lambda message, metadata: events.append(metadata["msg_id"]))
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        link.transport.pause_reading()
        large = {"text": "x" * 500_000}
        sent = asyncio.gather(*(client.send_custom_message("large", large) for _ in range(100)))
        for number in range(2):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
            await until(lambda: len(events) == number + 1)  # noqa: B023 - waited for in this pass
        for number in range(2, 4):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not sent.done()
        assert edge.acks.empty()
        events.append("the network takes data again")
        link.transport.resume_reading()
        assert await soon(sent) == [True] * 100
        acked = [(await edge.next_ack())["meta"]["acked_msg_id"] for _ in range(4)]
        assert acked == ["0", "1", "2", "3"]
        assert events == ["0", "1", "the network takes data again", "2", "3"]


async def test_a_link_that_breaks_while_acknowledgements_wait_is_followed_by_another(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_message.client.delivery.link.MOST_OWED", 1)
    events: asyncio.Queue[str] = asyncio.Queue()
    settings = config(edge, on_message=lambda message, metadata: events.put_nowait("message"))
    settings.reconnect_delay = settings.max_reconnect_delay = 0.01
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        link.transport.pause_reading()
        large = {"text": "x" * 500_000}
        sent = asyncio.gather(*(client.send_custom_message("large", large) for _ in range(60)))
        for number in range(3):
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
            if number == 0:
                await soon(events.get())
        link.transport.abort()
        await edge.next_link()
        assert await soon(sent) == [True] * 60
