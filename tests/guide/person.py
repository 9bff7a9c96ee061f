"""Somebody who is connected, and what they say and get."""

from __future__ import annotations

import asyncio
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


class Person:
    """Somebody who is connected, and what they get."""

    def __init__(self, url: str, api_key: str, platform: str) -> None:
        self.texts: asyncio.Queue[str] = asyncio.Queue()
        self.notifications: asyncio.Queue[Any] = asyncio.Queue()
        self.client = WebSocketClient(
            create_client_config(
                url,
                api_key,
                platform,
                on_message=lambda m, _: self.texts.put_nowait(m.message_segment.data),
                custom_handlers={"notification": lambda p, _: self.notifications.put_nowait(p)},
            )
        )

    async def __aenter__(self) -> Person:
        await self.client.__aenter__()
        assert self.client.is_connected(), self.client.get_last_error()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.stop()

    async def text(self) -> str:
        return await asyncio.wait_for(self.texts.get(), 10)

    async def notification(self) -> Any:
        return await asyncio.wait_for(self.notifications.get(), 10)


def text(data: str, api_key: str, platform: str) -> APIMessageBase:
    info = BaseMessageInfo(platform=platform, message_id="m", time=1.0)
    return APIMessageBase(info, Seg("text", data), MessageDim(api_key, platform))


async def nobody_answers(url: str) -> bool:
    config = create_client_config(url, "anybody", auto_reconnect=False)
    async with WebSocketClient(config) as client:
        return not client.is_connected()
