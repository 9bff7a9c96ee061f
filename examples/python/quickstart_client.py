"""A client that says hello to quickstart_server.py and waits for the answer.

python quickstart_client.py [URL]
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


async def main(url: str) -> None:
    answered = asyncio.Event()

    async def show(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        print(message.message_segment.data)
        answered.set()

    config = create_client_config(url, api_key="alice", platform="demo", on_message=show)
    async with WebSocketClient(config) as client:
        if not client.is_connected():
            sys.exit(f"not connected: {client.get_last_error()}")
        message = APIMessageBase(
            BaseMessageInfo("demo", str(uuid.uuid4()), time.time()),
            Seg("text", "Hello"),
            MessageDim("alice", "demo"),
        )
        await client.send_message(message)
        await answered.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:18040/ws"))
