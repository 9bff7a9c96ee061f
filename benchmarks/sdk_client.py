"""A program that uses the Python client, ours or the one of 0.6.8: their names are the same.

`python -I sdk_client.py URL KEY TO asis|silenced`; on stdin `send RATE` sends so many a second from
then on, `count` is answered with a line of JSON. It runs in either one's virtual environment.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
import os
import sys
import time
import uuid
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg

PLATFORM = "bench"
TEXT = "x" * 120
# What 0.6.8 prints goes to stdout, where the answers are read.
ANSWERS = os.fdopen(os.dup(1), "w")


def tell(**what: Any) -> None:
    ANSWERS.write(json.dumps(what) + "\n")
    ANSWERS.flush()


class Bot:
    """A client that counts."""

    def __init__(self, url: str, key: str, to: str) -> None:
        self._to = to
        self._sent = self._received = 0
        self._sending: asyncio.Task[None] | None = None
        config = create_client_config(
            url=url, api_key=key, platform=PLATFORM, on_message=self.on_message
        )
        self._client = WebSocketClient(config)

    async def on_message(self, message: APIMessageBase, metadata: dict[str, Any]) -> None:
        if message.message_segment.type == "text" and message.message_segment.data:
            self._received += 1

    async def run(self) -> None:
        await self._client.start()
        tell(ready=await self._client.connect())
        while line := await asyncio.to_thread(sys.stdin.readline):
            command, _, number = line.strip().partition(" ")
            if command == "send":
                self._sending = asyncio.create_task(self._send(float(number)))
                tell(sending=True)
            elif command == "count":
                tell(sent=self._sent, received=self._received)

    async def _send(self, rate: float) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(began + self._sent / rate - time.monotonic())
            message = APIMessageBase(
                message_info=BaseMessageInfo(PLATFORM, uuid.uuid4().hex, time.time()),
                message_segment=Seg(type="text", data=TEXT),
                message_dim=MessageDim(self._to, PLATFORM),
            )
            await self._client.send_message(message)
            self._sent += 1


if __name__ == "__main__":
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if sys.argv[4] == "silenced":
        builtins.print = lambda *_, **__: None
        logging.disable(logging.CRITICAL)
    asyncio.run(Bot(*sys.argv[1:4]).run())
