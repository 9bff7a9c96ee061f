"""A server that forwards: what comes from one platform goes to a user on another one.

python forwarding.py [PORT] [FROM_PLATFORM] [TO_USER] [TO_PLATFORM]
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from typing import Any

from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim
from maim_message.server import ServerConfig, WebSocketServer


def forwarded(original: APIMessageBase, user: str, platform: str) -> APIMessageBase:
    """Make the message that goes on: sender and content stay, the receiver is new."""
    info = BaseMessageInfo(
        platform=platform,
        message_id=f"forward_{uuid.uuid4()}",
        time=time.time(),
        sender_info=original.message_info.sender_info,
    )
    return APIMessageBase(info, original.message_segment, MessageDim(user, platform))


async def main(port: int, from_platform: str, user: str, platform: str) -> None:
    async def forward(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        if metadata["platform"] != from_platform:
            return
        results = await server.send_message(forwarded(message, user, platform))
        print(f"forwarded to {sum(results.values())} connections", flush=True)

    config = ServerConfig(
        host="localhost",
        port=port,
        on_auth=lambda metadata: bool(metadata["api_key"]),
        on_auth_extract_user=lambda metadata: metadata["api_key"],
        on_message=forward,
    )
    server = WebSocketServer(config)
    async with server:
        print(f"ready on {server.url}", flush=True)
        await asyncio.Event().wait()  # until Ctrl-C


if __name__ == "__main__":
    given = sys.argv[1:5]
    words = given + ["18040", "qq", "archive", "log"][len(given) :]
    try:
        asyncio.run(main(int(words[0]), *words[1:]))
    except KeyboardInterrupt:
        print("stopped")
