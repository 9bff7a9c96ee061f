from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maim_message.client import (
    WebSocketMultiClient,
    create_multi_client_config,
    create_multi_client_config_with_connections,
)
from maim_message.message import APIMessageBase, MessageDim
from maim_protocol.errors import ConfigError
from tests.sdk.edge import MESSAGE, Edge, send, soon, until


def message() -> APIMessageBase:
    return APIMessageBase(message_dim=MessageDim("k", "qq"))


def two_connections(edge: Edge, **settings: Any) -> Any:
    given: dict[str, dict[str, Any]] = {
        "wechat": {"url": edge.url, "api_key": "w-key", "platform": "wechat"},
        "qq": {"url": edge.url, "api_key": "q-key", "platform": "qq", "reconnect_delay": 0.01},
    }
    return create_multi_client_config_with_connections(given, **settings)


async def test_all_connections_connect_at_the_start_when_asked(edge: Edge) -> None:
    settings = two_connections(edge, auto_connect_on_start=True)
    async with WebSocketMultiClient(settings) as client:
        assert client.is_connected("wechat")
        assert client.is_connected("qq")
        assert client.get_stats()["connections_active"] == 2
        assert {h["x-apikey"] for h in edge.handshakes} == {"w-key", "q-key"}


async def test_a_message_goes_out_on_the_connection_that_is_named(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        assert await client.connect() == {"wechat": True, "qq": True}
        assert await client.send_message("wechat", message(), wait_ack=True)
        assert (await edge.next_message())["meta"]["platform"] == "wechat"
        assert await client.send_custom_message("qq", "ping", {"n": 1})
        frame = await edge.next_message()
        assert (frame["meta"]["platform"], frame["type"]) == ("qq", "custom_ping")


async def test_one_connection_is_connected_and_disconnected_by_name(edge: Edge) -> None:
    async with WebSocketMultiClient() as client:
        assert client.register_connection("a", edge.url, "key", "qq")
        assert await client.connect("a") == {"a": True}
        assert await client.disconnect("a") == {"a": True}
        assert not client.is_connected("a")
        assert await client.send_message("a", message()) is False
        assert client.get_last_error("a") == "not connected"


async def test_an_unknown_name_is_false_with_the_reason(edge: Edge) -> None:
    async with WebSocketMultiClient() as client:
        assert await client.connect("nobody") == {"nobody": False}
        assert await client.send_message("nobody", message()) is False
        assert not client.update_connection("nobody", platform="qq")
        assert not client.unregister_connection("nobody")
        assert client.get_connection_info("nobody") is None
        assert client.get_last_error() == "there is no connection named 'nobody'"


async def test_a_connection_that_is_unregistered_closes(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        await client.connect()
        assert client.unregister_connection("qq")
        assert await edge.next_close() == 1000
        assert client.get_stats()["connection_names"] == ["wechat"]


async def test_a_name_registered_again_replaces_the_connection(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        await client.connect("qq")
        client.register_connection("qq", edge.url, "other-key", "qq")
        assert await edge.next_close() == 1000
        assert await client.connect("qq") == {"qq": True}
        assert edge.handshakes[-1]["x-apikey"] == "other-key"


async def test_a_changed_connection_uses_its_new_settings_next_time(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        assert client.update_connection("qq", api_key="new-key")
        await client.connect("qq")
        assert edge.handshakes[0]["x-apikey"] == "new-key"
        info = client.get_connection_info("qq")
        assert info is not None
        assert (info["name"], info["connected"], info["api_key"]) == ("qq", True, "new-key")


async def test_messages_of_all_connections_reach_the_shared_callbacks(edge: Edge) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    settings = two_connections(edge, on_message=lambda m, meta: inbox.put_nowait(meta["msg_id"]))
    async with WebSocketMultiClient(settings) as client:
        client.register_custom_handler("ping", lambda payload: inbox.put_nowait(payload))
        await client.connect()
        for number in range(2):
            link = await edge.next_link()
            await send(link, "sys_std", MESSAGE, msg_id=str(number))
            assert await soon(inbox.get()) == str(number)
            await send(link, "custom_ping", {"n": number})
            assert await soon(inbox.get()) == {"n": number}


async def test_one_refused_connection_leaves_the_others_alone(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        assert await client.connect("wechat") == {"wechat": True}
        edge.refuse(401)
        assert await client.connect("qq") == {"qq": False}
        assert "HTTP 401" in str(client.get_last_error("qq"))
        assert client.get_last_error("wechat") is None
        assert await client.send_message("wechat", message(), wait_ack=True)


async def test_a_named_connection_comes_back_by_itself(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        await client.connect("qq")
        await (await edge.next_link()).close(1001)
        await edge.next_link()
        await until(lambda: client.is_connected("qq"))


def test_a_wrong_setting_of_a_connection_names_it() -> None:
    config = create_multi_client_config()
    with pytest.raises(ConfigError, match="did you mean 'reconnect_delay'"):
        config.register_connection("a", "ws://localhost/ws", "k", reconnct_delay=1)


def test_a_connection_over_tls_gets_the_tls_scheme() -> None:
    config = create_multi_client_config()
    config.register_ssl_connection("a", "ws://localhost/ws", "k")
    assert config.connections["a"].ssl_enabled
    assert config.remove_connection("a")
    assert not config.remove_connection("a")


async def test_a_connect_during_a_disconnect_leaves_a_connection_that_unregistering_closes(
    edge: Edge,
) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        await client.connect("qq")
        disconnecting = asyncio.create_task(client.disconnect("qq"))
        assert await client.connect("qq") == {"qq": True}
        assert await soon(disconnecting) == {"qq": True}
        assert client.is_connected("qq")
        assert client.unregister_connection("qq")
    assert [await edge.next_close() for _ in range(2)] == [1000, 1000]


async def test_a_stop_closes_what_was_unregistered_just_before(edge: Edge) -> None:
    client = WebSocketMultiClient()
    await client.start()
    client.register_connection("only", edge.url, "key", "qq")
    await client.connect()
    client.unregister_connection("only")
    before = asyncio.all_tasks()
    await client.stop()
    assert [task for task in before if "maim" in task.get_name() and not task.done()] == []
    assert await edge.next_close() == 1000


async def test_a_connection_that_is_unregistered_before_it_connects_stays_away(edge: Edge) -> None:
    async with WebSocketMultiClient(two_connections(edge)) as client:
        connecting = asyncio.create_task(client.connect("qq"))
        await asyncio.sleep(0)
        client.unregister_connection("qq")
        assert await soon(connecting) == {"qq": False}
        assert "removed" in str(client.get_last_error())
        assert edge.handshakes == []
