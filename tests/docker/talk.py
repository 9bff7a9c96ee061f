"""What clients outside of the containers say: raw WebSocket, the protocol's own frames."""

from __future__ import annotations

import asyncio
import json
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def client(
    url: str, key: str, platform: str, trust: ssl.SSLContext | None = None
) -> AsyncIterator[ClientConnection]:
    """Connect as the user of a key."""
    headers = {"x-apikey": key, "x-platform": platform}
    async with connect(url, additional_headers=headers, ssl=trust, proxy=None) as socket:
        yield socket


async def say(socket: ClientConnection, text: str, user: str, platform: str) -> str:
    """Send a text to a user; returns its msg_id."""
    msg_id = uuid.uuid4().hex
    info = {"platform": platform, "message_id": msg_id, "time": 1.5}
    payload = {
        "message_info": info,
        "message_segment": {"type": "text", "data": text},
        "message_dim": {"api_key": user, "platform": platform},
    }
    frame = {"ver": 1, "msg_id": msg_id, "type": "sys_std", "meta": {}, "payload": payload}
    await socket.send(json.dumps(frame))
    return msg_id


async def hear(socket: ClientConnection) -> str:
    """Return the text of the next message, and acknowledge it: it would come again."""
    frame = await _next(socket, "sys_std")
    ack = {"ver": 1, "msg_id": uuid.uuid4().hex, "type": "sys_ack", "payload": {}}
    await socket.send(json.dumps(ack | {"meta": {"acked_msg_id": frame["msg_id"]}}))
    text: str = frame["payload"]["message_segment"]["data"]
    return text


async def acknowledged(socket: ClientConnection, msg_id: str) -> None:
    """Return when a message was acknowledged."""
    while (await _next(socket, "sys_ack"))["meta"]["acked_msg_id"] != msg_id:
        pass


async def pass_on(sender: ClientConnection, receiver: ClientConnection, user: str) -> None:
    """Send a text from one client to the other, on platform `qq`, and see it arrive."""
    text = f"你好 {uuid.uuid4().hex}"
    msg_id = await say(sender, text, user, "qq")
    assert await hear(receiver) == text
    await acknowledged(sender, msg_id)


async def _next(socket: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if frame["type"] == kind:
                return frame
