from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from tests.sdk.edge import Edge, running_edge, send, soon, until

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


@pytest.mark.parametrize("code", [1001, 1011, 4408, 4429, 4503])
async def test_a_close_that_says_so_is_followed_by_a_reconnect_under_the_same_label(
    edge: Edge, code: int
) -> None:
    events = Events()
    async with WebSocketClient(config(edge, **events.settings())) as client:
        await (await edge.next_link()).close(code, "why")
        await edge.next_link()
        for _ in range(2):
            assert await soon(events.connected.get()) == client.get_connection_uuid()
        assert f"{code} why" in str(await soon(events.lost.get()))
        assert len({headers["x-uuid"] for headers in edge.handshakes}) == 1


async def test_a_link_that_breaks_without_a_close_is_followed_by_a_reconnect(edge: Edge) -> None:
    async with WebSocketClient(config(edge)):
        (await edge.next_link()).transport.abort()
        await edge.next_link()


@pytest.mark.parametrize("code", [1000, 4000, 4400, 4401, 4403, 4409])
async def test_a_close_that_says_stop_is_final(edge: Edge, code: int) -> None:
    events = Events()
    async with WebSocketClient(config(edge, **events.settings())) as client:
        await (await edge.next_link()).close(code, "enough")
        await soon(events.lost.get())
        assert not client.is_connected()
        assert f"{code} enough" in str(client.get_last_error())
        assert await client.send_message(message()) is False
        assert len(edge.handshakes) == 1


@pytest.mark.parametrize(("status", "code"), [(401, b"unauthenticated"), (403, b"forbidden")])
async def test_a_refused_handshake_is_final_and_says_why(
    edge: Edge, status: int, code: bytes
) -> None:
    edge.refuse(status, b'{"error":"%b","message":"no"}' % code)
    async with WebSocketClient(config(edge)) as client:
        assert not client.is_connected()
        assert f"HTTP {status} {code.decode()}: no" in str(client.get_last_error())
        assert await client.send_message(message()) is False
        assert len(edge.handshakes) == 1


@pytest.mark.parametrize("status", [404, 429, 503])
async def test_a_handshake_that_may_succeed_later_is_tried_again(edge: Edge, status: int) -> None:
    edge.refuse(status, Retry_After="0.001")
    async with WebSocketClient(config(edge)) as client:
        await edge.next_link()
        assert client.get_stats()["failed_connects"] == 1


async def test_the_time_that_a_refusal_asks_for_is_waited(edge: Edge) -> None:
    edge.refuse(503, Retry_After="0.2")
    clock = asyncio.get_running_loop().time
    async with WebSocketClient(config(edge)):
        refused = clock()
        await edge.next_link()
        assert clock() - refused >= 0.19


async def test_the_time_that_a_drain_gives_is_waited(edge: Edge) -> None:
    clock = asyncio.get_running_loop().time
    async with WebSocketClient(config(edge)):
        link = await edge.next_link()
        await send(link, "sys_notice", {"event": "drain", "retry_after_ms": 200})
        await link.close(1001, "drain")
        closed = clock()
        await edge.next_link()
        assert clock() - closed >= 0.19


async def test_a_redirect_never_takes_the_credential_elsewhere(edge: Edge) -> None:
    async with running_edge() as elsewhere:
        edge.refuse(302, Location=elsewhere.url)
        async with WebSocketClient(config(edge, auto_reconnect=False)) as client:
            assert "HTTP 302" in str(client.get_last_error())
        assert elsewhere.handshakes == []


async def test_a_half_open_link_is_found_by_ping(edge: Edge) -> None:
    async with WebSocketClient(
        config(edge, ping_interval=0.05, ping_timeout=0.05, close_timeout=0.05)
    ):
        silent = await edge.next_link()
        silent.transport.pause_reading()
        await edge.next_link()
        silent.transport.abort()


async def test_nobody_there_is_false_with_the_reason_and_attempts_go_on() -> None:
    async with running_edge() as edge:
        settings = config(edge)
    async with WebSocketClient(settings) as client:
        assert not client.is_connected()
        assert "cannot connect to ws://localhost:" in str(client.get_last_error())
        assert client.get_stats()["failed_connects"] >= 1
        assert await client.connect() is False
        assert client.get_stats()["failed_connects"] >= 2


async def test_without_auto_reconnect_one_attempt_is_made(edge: Edge) -> None:
    events = Events()
    settings = config(edge, auto_reconnect=False, **events.settings())
    async with WebSocketClient(settings) as client:
        await (await edge.next_link()).close(1011)
        await soon(events.lost.get())
        assert await client.send_message(message()) is False
        assert len(edge.handshakes) == 1


async def test_it_gives_up_after_as_many_attempts_as_it_may_make(edge: Edge) -> None:
    for _ in range(10):
        edge.refuse(500)
    async with WebSocketClient(config(edge, max_reconnect_attempts=2)) as client:
        await until(lambda: "gave up after 2" in str(client.get_last_error()))
        assert len(edge.handshakes) == 3


async def test_a_fresh_key_is_asked_for_before_every_handshake(edge: Edge) -> None:
    keys = iter(["first", "second"])

    async def get_api_key() -> str:
        return next(keys)

    async with WebSocketClient(config(edge, get_api_key=get_api_key)):
        await (await edge.next_link()).close(1001)
        await edge.next_link()
        assert [headers["x-apikey"] for headers in edge.handshakes] == ["first", "second"]


async def test_a_refused_key_is_followed_by_a_changed_one(edge: Edge) -> None:
    keys = iter(["revoked", "fresh"])
    edge.refuse(401)
    async with WebSocketClient(config(edge, get_api_key=lambda: next(keys))):
        await edge.next_link()
        assert [headers["x-apikey"] for headers in edge.handshakes] == ["revoked", "fresh"]


async def test_a_refused_key_that_does_not_change_is_final(edge: Edge) -> None:
    edge.refuse(401)
    async with WebSocketClient(config(edge, get_api_key=lambda: "revoked")) as client:
        await until(lambda: "the same again" in str(client.get_last_error()))
        assert len(edge.handshakes) == 1


async def test_disconnect_tells_the_callback_and_allows_to_connect_again(edge: Edge) -> None:
    events = Events()
    async with WebSocketClient(config(edge, **events.settings())) as client:
        assert await client.disconnect()
        assert await soon(events.lost.get()) is None
        assert await edge.next_close() == 1000
        assert await client.send_message(message()) is False
        assert not await client.disconnect()
        assert await client.connect()
        assert await client.send_message(message(), wait_ack=True)


async def test_stop_ends_a_client_that_is_waiting_to_reconnect(edge: Edge) -> None:
    edge.refuse(503, Retry_After="3600")
    client = WebSocketClient(config(edge))
    await client.start()
    assert await client.connect() is False
    assert await client.send_message(message())
    waiting = asyncio.create_task(client.send_message(message(), wait_ack=True, timeout=None))
    await until(lambda: client.get_stats()["messages_unacknowledged"] == 2)
    await soon(client.stop())
    assert await soon(waiting) is False
