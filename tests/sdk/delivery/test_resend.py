from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.sdk.edge import Edge, send, soon, until

QUICK = {"reconnect_delay": 0.001, "max_reconnect_delay": 0.01}


def config(edge: Edge, **settings: Any) -> Any:
    return create_client_config(edge.url, "k", "qq", **{**QUICK, **settings})


def message(text: str = "hello") -> APIMessageBase:
    return APIMessageBase(BaseMessageInfo("qq", "m", 1.5), Seg("text", text), MessageDim("k", "qq"))


def text_of(frame: dict[str, Any]) -> Any:
    return frame["payload"]["message_segment"]["data"]


class Events:
    """Records `on_connect` and `on_disconnect`."""

    def __init__(self) -> None:
        self.connected: asyncio.Queue[str] = asyncio.Queue()
        self.lost: asyncio.Queue[str | None] = asyncio.Queue()

    def settings(self) -> dict[str, Any]:
        return {
            "on_connect": lambda uuid, config: self.connected.put_nowait(uuid),
            "on_disconnect": lambda uuid, error: self.lost.put_nowait(error),
        }


async def test_unacknowledged_messages_are_resent_in_order_once_after_a_reconnect(
    edge: Edge,
) -> None:
    edge.acknowledging = False
    async with WebSocketClient(config(edge)) as client:
        link = await edge.next_link()
        for text in "abc":
            assert await client.send_message(message(text))
        first = [await edge.next_message() for _ in range(3)]
        edge.acknowledging = True
        await link.close(1001)
        again = [await edge.next_message() for _ in range(3)]
        assert again == first
        assert await client.send_message(message("d"), wait_ack=True)
        assert text_of(await edge.next_message()) == "d"
        assert client.get_stats()["messages_resent"] == 3
        assert client.get_stats()["messages_unacknowledged"] == 0


async def test_an_acknowledged_message_is_not_resent(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        link = await edge.next_link()
        assert await client.send_message(message("taken"), wait_ack=True)
        await link.close(1001)
        await edge.next_link()
        assert await client.send_message(message("next"), wait_ack=True)
        assert [text_of(await edge.next_message()) for _ in range(2)] == ["taken", "next"]


async def test_an_acknowledgement_is_waited_for_across_a_reconnect(edge: Edge) -> None:
    edge.acknowledging = False
    async with WebSocketClient(config(edge)) as client:
        link = await edge.next_link()
        sending = asyncio.create_task(client.send_message(message(), wait_ack=True, timeout=5))
        await edge.next_message()
        edge.acknowledging = True
        link.transport.abort()
        assert await soon(sending) is True


async def test_a_message_sent_while_reconnecting_is_kept_and_sent_first(edge: Edge) -> None:
    events = Events()
    async with WebSocketClient(config(edge, **events.settings())) as client:
        link = await edge.next_link()
        edge.refusals = [(503, {"Retry-After": "60"}, b"")]
        await link.close(1001)
        await soon(events.lost.get())
        assert [await client.send_message(message(text)) for text in "ab"] == [True, True]
        await until(lambda: str(client.get_last_error()).endswith("HTTP 503"))
        assert await client.connect()
        assert await client.send_message(message("c"))
        assert [text_of(await edge.next_message()) for _ in range(3)] == ["a", "b", "c"]


async def test_without_the_cache_a_message_sent_while_reconnecting_is_refused(edge: Edge) -> None:
    events = Events()
    settings = config(edge, enable_message_cache=False, **events.settings())
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        edge.refusals = [(503, {"Retry-After": "60"}, b"")]
        await link.close(1001)
        await soon(events.lost.get())
        assert await client.send_message(message()) is False
        assert "enable_message_cache" in str(client.get_last_error())


async def test_a_full_cache_refuses_rather_than_forgets(edge: Edge) -> None:
    events = Events()
    settings = config(edge, message_cache_max_size=2, **events.settings())
    async with WebSocketClient(settings) as client:
        link = await edge.next_link()
        edge.refusals = [(503, {"Retry-After": "60"}, b"")]
        await link.close(1001)
        await soon(events.lost.get())
        assert [await client.send_message(message(text)) for text in "abc"] == [True, True, False]
        assert "no room" in str(client.get_last_error())


async def test_a_frame_over_the_servers_limit_is_not_resent(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        await edge.next_link()
        large = message("x" * 2_000_000)
        assert await client.send_message(large, wait_ack=True, timeout=5) is False
        assert "too_large" in str(client.get_last_error())
        await edge.next_link()
        assert await client.send_message(message("small"), wait_ack=True, timeout=5)
        assert text_of(await edge.next_message()) == "small"


async def test_no_message_is_lost_or_reordered_while_links_break_at_random(edge: Edge) -> None:
    """The edge sees each message at least once, and the first sights are in order."""
    edge.acknowledging = False
    dice = random.Random(7)  # noqa: S311 - chooses where links break, not a secret
    seen: list[str] = []

    async def take_some(link: Any) -> None:
        async for text in link:
            frame = json.loads(text)
            if frame["type"] == "sys_ack":
                continue
            if text_of(frame) not in seen:
                seen.append(text_of(frame))
            if dice.random() < 0.1:
                link.transport.abort()
                return
            await send(link, "sys_ack", {}, {"acked_msg_id": frame["msg_id"]}, "ack")

    edge.on_open = take_some
    async with WebSocketClient(config(edge)) as client:
        for number in range(100):
            assert await client.send_message(message(str(number)))
        await until(lambda: len(seen) == 100)
        assert seen == [str(number) for number in range(100)]
