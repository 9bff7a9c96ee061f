"""A user at the other end: a plain WebSocket connection that the test itself reads and writes."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

PATIENCE_SECONDS = 30.0


class Friend:
    """Connects with header credentials; acknowledges what it receives."""

    def __init__(self, url: str, api_key: str, platform: str = "demo") -> None:
        self._url = url
        self._headers = {"x-apikey": api_key, "x-platform": platform}
        self._conn: ClientConnection | None = None
        self._platform = platform

    async def __aenter__(self) -> Self:
        self._conn = await connect(self._url, additional_headers=self._headers)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.conn.close()

    @property
    def conn(self) -> ClientConnection:
        assert self._conn is not None
        return self._conn

    async def send(self, receiver: str, data: Any, platform: str = "demo", **more: Any) -> str:
        """Send a text and return its msg_id; `more` joins the payload."""
        payload = {
            "message_info": {"platform": self._platform, "message_id": "m", "time": 1.5},
            "message_segment": {"type": "text", "data": data},
            "message_dim": {"api_key": receiver, "platform": platform},
        }
        return await self._write("sys_std", {}, payload | more)

    async def receive(self) -> dict[str, Any]:
        """Wait for the next message, acknowledge and return it."""
        while True:
            async with asyncio.timeout(PATIENCE_SECONDS):
                frame = json.loads(await self.conn.recv())
            assert frame["type"] != "sys_error", frame
            if frame["type"] != "sys_ack":
                await self._write("sys_ack", {"acked_msg_id": frame["msg_id"]}, {})
                return frame

    async def receive_text(self) -> str:
        """Wait for the next message and return its text."""
        return (await self.receive())["payload"]["message_segment"]["data"]

    async def _write(self, kind: str, meta: dict[str, Any], payload: dict[str, Any]) -> str:
        msg_id = str(uuid.uuid4())
        frame = {"ver": 1, "msg_id": msg_id, "type": kind, "meta": meta, "payload": payload}
        await self.conn.send(json.dumps(frame, ensure_ascii=False))
        return msg_id
