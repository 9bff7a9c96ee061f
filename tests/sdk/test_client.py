from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_protocol.errors import ConfigError
from tests.sdk.edge import MESSAGE, Edge, send, soon


def config(edge: Edge, **settings: Any) -> Any:
    return create_client_config(edge.url, "secret-key", "qq", **settings)


def message(text: str = "hello", api_key: str = "k", platform: str = "qq") -> APIMessageBase:
    return APIMessageBase(
        BaseMessageInfo("qq", "m", 1.5), Seg("text", text), MessageDim(api_key, platform)
    )


def text_of(frame: dict[str, Any]) -> Any:
    return frame["payload"]["message_segment"]["data"]


async def test_the_credential_goes_in_headers_and_not_in_the_address(edge: Edge) -> None:
    async with WebSocketClient(config(edge, connection_uuid="my-label", headers={"x-a": "b"})):
        headers = edge.handshakes[0]
        names = ("x-apikey", "x-platform", "x-uuid", "x-a")
        assert [headers[name] for name in names] == ["secret-key", "qq", "my-label", "b"]
        assert edge.paths == ["/ws"]


async def test_what_no_header_can_carry_goes_into_the_query(edge: Edge) -> None:
    async with WebSocketClient(create_client_config(edge.url, "k", "微信")):
        assert edge.paths == ["/ws?platform=%E5%BE%AE%E4%BF%A1"]
        assert "x-platform" not in edge.handshakes[0]


@pytest.mark.parametrize("compression", [False, True])
async def test_compression_is_offered_when_it_is_asked_for(edge: Edge, compression: bool) -> None:
    async with WebSocketClient(config(edge, compression=compression)) as client:
        assert ("Sec-WebSocket-Extensions" in edge.handshakes[0]) is compression
        assert await client.send_message(message("你好" * 1000), wait_ack=True)
        assert text_of(await edge.next_message()) == "你好" * 1000


async def test_a_message_goes_out_as_a_sys_std_envelope(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        assert await client.send_message(message("你好"))
        frame = await edge.next_message()
        assert (frame["ver"], frame["type"], frame["payload"]) == (1, "sys_std", MESSAGE)
        assert "secret-key" not in str(frame["meta"])


async def test_the_prefix_of_a_custom_type_is_added_once(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        for name in ("ping", "custom_ping"):
            assert await client.send_custom_message(name, {"n": 2**70})
            frame = await edge.next_message()
            assert (frame["type"], frame["payload"]) == ("custom_ping", {"n": 2**70})


async def test_no_two_messages_have_the_same_id(edge: Edge) -> None:
    for _ in range(2):
        async with WebSocketClient(config(edge)) as client:
            for _ in range(50):
                assert await client.send_message(message())
    ids = {(await edge.next_message())["msg_id"] for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) <= 128 for each in ids)


async def test_messages_that_are_sent_at_once_arrive_in_the_order_of_the_calls(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        texts = [str(number) for number in range(200)]
        assert all(await asyncio.gather(*(client.send_message(message(text)) for text in texts)))
        assert [text_of(await edge.next_message()) for _ in texts] == texts


async def test_waiting_for_the_ack_is_true_when_it_came(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        assert await client.send_message(message(), wait_ack=True, timeout=5)
        assert client.get_stats()["messages_unacknowledged"] == 0


async def test_waiting_for_the_ack_is_false_when_the_server_refused_the_message(
    edge: Edge,
) -> None:
    edge.acknowledging = False
    async with WebSocketClient(config(edge)) as client:
        link = await edge.next_link()
        sending = asyncio.create_task(client.send_message(message(), wait_ack=True, timeout=5))
        msg_id = (await edge.next_message())["msg_id"]
        refusal = {"code": "no_route", "message": "nobody there", "msg_id": msg_id}
        await send(link, "sys_error", refusal)
        assert await soon(sending) is False
        assert client.get_last_error() == "no_route: nobody there"
        assert client.get_stats()["messages_unacknowledged"] == 0


async def test_waiting_for_the_ack_is_false_after_the_timeout(edge: Edge) -> None:
    edge.acknowledging = False
    async with WebSocketClient(config(edge)) as client:
        assert await client.send_message(message(), wait_ack=True, timeout=0.01) is False
        assert "no acknowledgement" in str(client.get_last_error())


async def test_an_unserialisable_field_is_a_type_error_and_harms_nothing(edge: Edge) -> None:
    bad = message()
    bad.message_segment = Seg("seglist", [Seg("text", "x"), Seg("odd", object())])
    async with WebSocketClient(config(edge)) as client:
        with pytest.raises(TypeError, match=r"message_segment\.data\[1\]\.data"):
            await client.send_message(bad)
        assert await client.send_message(message(), wait_ack=True)


async def test_an_empty_receiver_is_refused_before_it_is_sent(edge: Edge) -> None:
    async with WebSocketClient(config(edge)) as client:
        assert await client.send_message(message(api_key="")) is False
        assert "message_dim" in str(client.get_last_error())


async def test_each_message_takes_the_connection_that_its_receiver_names(edge: Edge) -> None:
    async with WebSocketClient(create_client_config(edge.url, "main", "main")) as client:
        wechat = await client.add_connection(edge.url, "wechat-key", "wechat")
        assert await client.connect_to(wechat)
        assert set(client.get_active_connections()) == {client.get_connection_uuid(), wechat}
        for link in (await edge.next_link(), await edge.next_link()):
            key = link.request.headers["x-apikey"] if link.request else ""
            edge_of = {"main": "text for main", "wechat-key": "text for wechat"}
            text = edge_of[key]
            await client.send_message(message(text, key, key.removesuffix("-key")))
            frame = await edge.next_message()
            assert frame["payload"]["message_segment"]["data"] == text
            platform = link.request.headers["x-platform"] if link.request else ""
            assert frame["meta"]["platform"] == platform
        assert await client.remove_connection(wechat)
        assert wechat not in client.get_connections()


async def test_connect_before_start_says_what_to_do(edge: Edge) -> None:
    client = WebSocketClient(config(edge))
    assert await client.connect() is False
    assert "start()" in str(client.get_last_error())


async def test_nothing_that_is_shown_holds_the_credential(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"{edge.url}?api_key=secret-key"
    async with WebSocketClient(create_client_config(url, "secret-key", "qq")) as client:
        await client.send_message(message(), wait_ack=True)
        shown = (client.config, client.get_connections(), client.get_stats())
        assert "secret-key" not in repr(shown)
    lines = [each.getMessage() for each in caplog.records if each.name != "websockets.server"]
    assert len(lines) >= 3
    assert "secret-key" not in " ".join(lines)


async def test_a_wrong_setting_changes_nothing(edge: Edge) -> None:
    client = WebSocketClient(config(edge))
    with pytest.raises(ConfigError, match="did you mean 'reconnect_delay'"):
        client.update_config(platform="other", reconect_delay=3.0)
    assert client.config.platform == "qq"
    client.update_config(platform="other", reconnect_delay=3)
    assert (client.config.platform, client.config.reconnect_delay) == ("other", 3)


async def test_the_counters_are_reported_regularly(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maim_message.client.connection.pool.STATS_INTERVAL_SECONDS", 0.001)
    reports: asyncio.Queue[Any] = asyncio.Queue()
    async with WebSocketClient(config(edge, stats_callback=reports.put_nowait)):
        while not (await soon(reports.get()))["connected"]:
            pass


async def test_log_level_and_switches_decide_what_is_written(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="maim_message.client")
    settings = {"enable_message_log": False, "enable_connection_log": False}
    for quiet in ({"log_level": "ERROR"}, settings):
        async with WebSocketClient(config(edge, **quiet)) as client:
            assert await client.send_message(message(), wait_ack=True)
    assert [each for each in caplog.records if each.name == "maim_message.client"] == []
