"""What the usage guide writes about messages and clients, as it writes it."""

from __future__ import annotations

import asyncio
import time

from maim_message.client import (
    ClientConfig,
    WebSocketClient,
    create_client_config,
)
from maim_message.message import (
    APIMessageBase,
    BaseMessageInfo,
    FormatInfo,
    GroupInfo,
    MessageDim,
    Seg,
    SenderInfo,
    UserInfo,
)
from tests.sdk.edge import Edge


def test_a_full_client_config_is_accepted() -> None:
    config = ClientConfig(
        url="ws://localhost:18040/ws",
        api_key="your_api_key",
        platform="your_platform",
        auto_reconnect=True,
        max_reconnect_attempts=5,
        reconnect_delay=1.0,
        max_reconnect_delay=30.0,
        ping_interval=20,
        ping_timeout=10,
        close_timeout=10,
        on_connect=lambda connection_uuid, config: print(f"connected: {connection_uuid}"),
        on_disconnect=lambda connection_uuid, error: print(f"lost: {connection_uuid}"),
        on_message=lambda message, metadata: print(message.message_segment.data),
        log_level="INFO",
        enable_connection_log=True,
        enable_message_log=True,
    )
    config.enable_message_log = True
    config.register_custom_handler("ping", lambda message_data, metadata: True)


def test_a_complete_message_and_the_short_ones_are_built() -> None:
    APIMessageBase(
        message_info=BaseMessageInfo(
            platform="wechat",
            message_id="msg_123456789",
            time=time.time(),
            sender_info=SenderInfo(
                user_info=UserInfo(
                    platform="wechat",
                    user_id="user_001",
                    user_nickname="用户昵称",
                    user_cardname="用户名片",
                ),
                group_info=GroupInfo(
                    platform="wechat", group_id="group_001", group_name="群组名称"
                ),
            ),
            format_info=FormatInfo(content_format=["text"], accept_format=["text", "emoji"]),
        ),
        message_segment=Seg(type="text", data="消息内容"),
        message_dim=MessageDim(api_key="your_api_key", platform="wechat"),
    )
    SenderInfo(user_info=UserInfo(user_id="sender_001"))
    message = APIMessageBase(message_dim=MessageDim(api_key="target", platform="wechat"))
    assert hasattr(message, "message_dim")


async def test_the_multi_connection_quick_start_runs(edge: Edge) -> None:
    client = WebSocketClient(
        create_client_config(url=edge.url, api_key="main_client_key", platform="main_platform")
    )
    try:
        await client.start()
        assert await client.connect()
        wechat = await client.add_connection(edge.url, "wechat_key", "wechat")
        qq = await client.add_connection(edge.url, "qq_key", "qq")
        await client.connect_to(wechat)
        await client.connect_to(qq)
        assert {wechat, qq} < set(client.get_active_connections())
        message = APIMessageBase(
            message_info=BaseMessageInfo(
                platform="wechat",
                message_id="wechat_001",
                time=asyncio.get_event_loop().time(),
            ),
            message_segment=Seg(type="text", data="发送到微信的消息"),
            message_dim=MessageDim(api_key="wechat_key", platform="wechat"),
        )
        assert await client.send_message(message)
        assert (await edge.next_message())["meta"]["platform"] == "wechat"
        assert await client.send_custom_message("notification", {"title": "通知"})
        assert (await edge.next_message())["meta"]["platform"] == "main_platform"
        await client.disconnect(wechat)
        await client.remove_connection(qq)
        assert list(client.get_active_connections()) == [client.get_connection_uuid()]
    finally:
        await client.stop()
