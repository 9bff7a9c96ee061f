"""A server that answers every message; start it, then quickstart_client.py.

python quickstart_server.py [PORT]
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import Any

from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_message.server import WebSocketServer, create_server_config


async def main(port: int) -> None:
    async def answer(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        print(f"{metadata['user_id']}: {message.message_segment.data}", flush=True)
        await server.send_message(
            APIMessageBase(
                BaseMessageInfo(metadata["platform"], str(uuid.uuid4()), time.time()),
                Seg("text", f"You said: {message.message_segment.data}"),
                MessageDim(metadata["api_key"], metadata["platform"]),  # the receiver
            )
        )

    config = create_server_config(host="localhost", port=port, path="/ws", on_message=answer)
    server = WebSocketServer(config)
    async with server:
        print(f"ready on {server.url}", flush=True)
        await asyncio.Event().wait()  # until Ctrl-C


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 18040))
    except KeyboardInterrupt:
        print("stopped")
