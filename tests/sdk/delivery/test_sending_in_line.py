"""Messages that cannot be written at once keep their order, and what is said of them is true."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from maim_message.client import WebSocketClient, create_client_config
from tests.sdk.edge import Edge, soon

LARGE = "x" * 500_000
NUMBER = 60


@pytest_asyncio.fixture
async def client(edge: Edge) -> AsyncIterator[WebSocketClient]:
    quick = {"reconnect_delay": 0.001, "max_reconnect_delay": 0.01}
    config = create_client_config(edge.url, "k", "qq", close_timeout=0.05, **quick)
    async with WebSocketClient(config) as client:
        yield client


async def pause(link: Any) -> None:
    link.transport.pause_reading()


def send(client: WebSocketClient, number: int, text: str = "") -> asyncio.Task[bool]:
    return asyncio.create_task(client.send_custom_message("n", {"n": number, "text": text}))


async def arrived(edge: Edge, number: int) -> list[int]:
    return [(await edge.next_message())["payload"]["n"] for _ in range(number)]


async def test_a_message_waits_behind_those_that_wait_already(
    edge: Edge, client: WebSocketClient
) -> None:
    link = await edge.next_link()
    link.transport.pause_reading()
    sending = [send(client, number, LARGE) for number in range(NUMBER)]
    await asyncio.sleep(0)
    link.transport.resume_reading()
    for number in range(NUMBER, 3 * NUMBER):
        sending.append(send(client, number))
        await asyncio.sleep(0)
    assert all(await soon(asyncio.gather(*sending)))
    assert await arrived(edge, 3 * NUMBER) == list(range(3 * NUMBER))


async def test_a_message_waits_behind_what_is_resent(edge: Edge, client: WebSocketClient) -> None:
    edge.acknowledging = False
    link = await edge.next_link()
    assert all([await send(client, number, LARGE) for number in range(NUMBER)])
    await arrived(edge, NUMBER)
    edge.on_open = pause
    await link.close(1001)
    link = await edge.next_link()
    sending = [send(client, NUMBER)]
    await asyncio.sleep(0)
    link.transport.resume_reading()
    for number in range(NUMBER + 1, 3 * NUMBER):
        sending.append(send(client, number))
        await asyncio.sleep(0)
    assert all(await soon(asyncio.gather(*sending)))
    assert await arrived(edge, 3 * NUMBER) == list(range(3 * NUMBER))


async def test_what_waits_when_the_link_breaks_goes_out_on_the_next_one(
    edge: Edge, client: WebSocketClient
) -> None:
    link = await edge.next_link()
    link.transport.pause_reading()
    sending = [send(client, number, LARGE) for number in range(NUMBER)]
    sending += [send(client, number) for number in range(NUMBER, 900)]
    await asyncio.sleep(0)
    link.transport.abort()
    await edge.next_link()
    assert all(await soon(asyncio.gather(*sending)))
    assert await arrived(edge, 900) == list(range(900))


async def test_what_waits_when_the_link_closes_for_good_is_not_sent(
    edge: Edge, client: WebSocketClient
) -> None:
    link = await edge.next_link()
    link.transport.pause_reading()
    sending = [send(client, number, LARGE) for number in range(NUMBER)]
    await asyncio.sleep(0)
    link.protocol.send_close(4400, "enough")
    link.send_data()
    outcomes = await soon(asyncio.gather(*sending))
    assert outcomes[0] is True
    assert outcomes[-1] is False
    assert client.get_last_error() is not None
    link.transport.abort()
