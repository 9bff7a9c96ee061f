"""One bot on two platforms, and a client that writes to it on both; needs `make run`.

python two_platforms.py [URL]
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


def text(data: str, receiver: str, platform: str) -> APIMessageBase:
    return APIMessageBase(
        BaseMessageInfo("qq", str(uuid.uuid4()), time.time()),
        Seg("text", data),
        MessageDim(receiver, platform),
    )


async def main(url: str) -> None:
    came: asyncio.Queue[str] = asyncio.Queue()

    def show(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        # The router wrote this metadata: it is true whatever the sender claims.
        sender, platform = metadata["sender_user"], metadata["platform"]
        came.put_nowait(f"{sender} to the bot on {platform}: {message.message_segment.data}")

    bot_config = create_client_config(url, api_key="bot", platform="qq", on_message=show)
    alice_config = create_client_config(url, api_key="alice", platform="qq")
    async with WebSocketClient(bot_config) as bot, WebSocketClient(alice_config) as alice:
        wechat = await bot.add_connection(url, "bot", "wechat")
        if not (await bot.connect_to(wechat) and alice.is_connected()):
            sys.exit(f"not connected: {bot.get_last_error() or alice.get_last_error()}")
        for platform in ("qq", "wechat"):
            await alice.send_message(text(f"hello {platform}", "bot", platform), wait_ack=True)
            print(await came.get())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:18040/ws"))
