"""`connect` and `disconnect` take effect in the order of the calls, however close they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.sdk.edge import Edge, soon, until

TURNS = range(6)


def message(text: str) -> APIMessageBase:
    return APIMessageBase(BaseMessageInfo("qq", "m", 1.5), Seg("text", text), MessageDim("k", "qq"))


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


class Watched:
    """A client that was started, and what its callbacks heard."""

    def __init__(self, edge: Edge, **settings: Any) -> None:
        self.events: list[str] = []
        self.client = WebSocketClient(
            create_client_config(
                edge.url,
                "k",
                "qq",
                reconnect_delay=0.001,
                on_connect=lambda uuid, config: self.events.append("connected"),
                on_disconnect=lambda uuid, error: self.events.append(f"disconnected: {error}"),
                **settings,
            )
        )


@pytest_asyncio.fixture
async def watched(edge: Edge) -> AsyncIterator[Watched]:
    watched = Watched(edge)
    await watched.client.start()
    yield watched
    await watched.client.stop()


@pytest.mark.parametrize("number", TURNS[1:])
async def test_a_connect_that_a_disconnect_cuts_off_is_false_and_says_why(
    watched: Watched, number: int
) -> None:
    client = watched.client
    connecting = asyncio.create_task(client.connect())
    await turns(number)
    assert not connecting.done()
    assert await client.disconnect() is True
    assert await soon(connecting) is False
    assert client.get_last_error() == "disconnected before a link came up"
    assert not client.is_connected()
    assert watched.events == []


async def test_a_connect_that_a_stop_cuts_off_is_false(watched: Watched) -> None:
    connecting = asyncio.create_task(watched.client.connect())
    await turns(1)
    await watched.client.stop()
    assert await soon(connecting) is False


@pytest.mark.parametrize("number", TURNS)
async def test_a_connect_during_a_disconnect_brings_up_a_connection_that_stays(
    edge: Edge, watched: Watched, number: int
) -> None:
    client = watched.client
    assert await client.connect()
    disconnecting = asyncio.create_task(client.disconnect())
    await turns(number)
    assert await soon(client.connect()) is True
    assert await soon(disconnecting) is True
    assert client.is_connected()
    assert await edge.next_close() == 1000
    await edge.next_link()
    (await edge.next_link()).transport.abort()
    await edge.next_link()
    await until(lambda: watched.events.count("connected") == 3)
    assert watched.events[:3] == ["connected", "disconnected: None", "connected"]
    assert await client.send_message(message("hello"), wait_ack=True)


@pytest.mark.parametrize("number", TURNS)
async def test_of_many_calls_the_last_one_counts(edge: Edge, watched: Watched, number: int) -> None:
    client = watched.client
    assert await client.connect()
    first = asyncio.create_task(client.disconnect())
    connecting = asyncio.create_task(client.connect())
    await turns(number + 1)
    was_connected = connecting.done()
    second = asyncio.create_task(client.disconnect())
    assert not client.is_connected()
    last = asyncio.create_task(client.connect())
    outcomes = await soon(asyncio.gather(first, connecting, second, last))
    assert outcomes == [True, was_connected, True, True]
    assert client.is_connected()
    assert await client.disconnect()
    assert not client.is_connected()


async def test_a_second_disconnect_waits_for_the_first(edge: Edge, watched: Watched) -> None:
    client = watched.client
    assert await client.connect()
    first = asyncio.create_task(client.disconnect())
    assert await client.disconnect() is False
    assert await edge.next_close() == 1000
    assert await soon(first) is True


async def test_a_stop_waits_for_a_disconnect_that_nobody_waits_for(
    edge: Edge, watched: Watched
) -> None:
    before = asyncio.all_tasks()
    assert await watched.client.connect()
    client_tasks = {task for task in asyncio.all_tasks() - before if "maim" in task.get_name()}
    watched.client.disconnect().close()
    await watched.client.stop()
    assert [task.done() for task in client_tasks] == [True]
    assert await edge.next_close() == 1000


async def test_what_is_sent_while_the_old_link_closes_goes_out_on_the_new_one(
    edge: Edge, watched: Watched
) -> None:
    client = watched.client
    assert await client.connect()
    link = await edge.next_link()
    link.transport.pause_reading()
    disconnecting = asyncio.create_task(client.disconnect())
    connecting = asyncio.create_task(client.connect())
    await turns(3)
    sending = asyncio.create_task(client.send_message(message("kept"), wait_ack=True))
    await turns(3)
    link.transport.resume_reading()
    assert await soon(asyncio.gather(disconnecting, connecting, sending)) == [True] * 3
    assert (await edge.next_message())["payload"]["message_segment"]["data"] == "kept"


async def test_without_the_cache_an_answer_that_will_not_come_is_not_waited_for(
    edge: Edge,
) -> None:
    edge.acknowledging = False
    client = Watched(edge, enable_message_cache=False).client
    async with client:
        sending = client.send_message(message("lost"), wait_ack=True, timeout=None)
        waiting = asyncio.create_task(sending)
        await edge.next_message()
        disconnecting = client.disconnect()
        assert await client.connect()
        assert await soon(waiting) is False
        assert await disconnecting is True


async def test_a_connection_that_is_being_removed_cannot_be_connected_again(
    edge: Edge, watched: Watched
) -> None:
    client = watched.client
    uuid = await client.add_connection(edge.url, "other", "qq")
    assert await client.connect_to(uuid)
    removing = asyncio.create_task(client.remove_connection(uuid))
    await turns(2)
    assert await client.connect_to(uuid) is False
    assert await soon(removing) is True
    assert await edge.next_close() == 1000


async def test_disconnecting_what_is_unknown_is_false_with_the_reason(watched: Watched) -> None:
    assert await watched.client.disconnect("nobody") is False
    assert watched.client.get_last_error() == "there is no connection nobody"
