"""bob, on the Python SDK: prints every message and answers it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
import uuid
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


async def main(url: str = "ws://127.0.0.1:18040/ws") -> None:
    async def answer(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        sender, text = metadata["sender_user"], message.message_segment.data
        print(f"{sender}: {text}", flush=True)
        reply = APIMessageBase(
            message_info=BaseMessageInfo("demo", uuid.uuid4().hex, time.time()),
            message_segment=Seg("text", f"you said: {text}"),
            message_dim=MessageDim(sender, metadata["sender_platform"]),  # the receiver
        )
        await client.send_message(reply)

    config = create_client_config(url, api_key="bob", platform="demo", on_message=answer)
    async with WebSocketClient(config) as client:  # connects, and comes back when a link breaks
        print("bob is there" if client.is_connected() else client.get_last_error(), flush=True)
        await asyncio.Event().wait()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(*sys.argv[1:]))
