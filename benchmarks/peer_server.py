"""The peer: maim-message 0.6.8 serving as its users would have it serve, told what to do on stdin.

It runs in a virtual environment of its own, never with this repository's package:
`python -I peer_server.py PORT relay|handler asis|silenced`. Its library has no relay, so the
handler passes each message on with `send_message`. Lines on stdin: `broadcast TEXT` (sends to all),
`handled`; each is answered with a line of JSON.
"""

from __future__ import annotations

import asyncio
import builtins
import json
import logging
import sys
import time
import uuid
from typing import Any

from maim_message.message import APIMessageBase
from maim_message.server import WebSocketServer, create_server_config

KEY_PREFIX = "key-of-"


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def on_auth(metadata: dict[str, Any]) -> bool:
    return bool(metadata["api_key"].startswith(KEY_PREFIX))


async def user_of(metadata: dict[str, Any]) -> str:
    return str(metadata["api_key"]).removeprefix(KEY_PREFIX)


class Peer:
    """The server, and how many messages its handler had."""

    def __init__(self, port: int, relays: bool) -> None:
        self.handled = 0
        self._relays = relays
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = WebSocketServer(
            create_server_config(
                host="127.0.0.1",
                port=port,
                on_auth=on_auth,
                on_auth_extract_user=user_of,
                on_message=self.on_message,
            )
        )

    async def on_message(self, message: APIMessageBase, metadata: dict[str, Any]) -> None:
        if self._relays:
            await self._server.send_message(message)
        elif message.message_segment.type != "text" or not message.message_segment.data:
            raise ValueError("a message without text")
        self.handled += 1

    async def broadcast(self, text: str) -> None:
        """Send to all in the only way that the library has: connection by connection."""
        info = {"platform": "bench", "message_id": uuid.uuid4().hex, "time": time.time()}
        package = {
            "ver": 1,
            "msg_id": f"msg_{uuid.uuid4().hex[:12]}_{int(time.time())}",
            "type": "sys_std",
            "meta": {"sender_user": "server", "platform": "bench", "timestamp": time.time()},
            "payload": {
                "message_info": info,
                "message_segment": {"type": "text", "data": text},
                "message_dim": {"api_key": "all", "platform": "bench"},
            },
        }
        results = await self._server.network_driver.broadcast_message(package)
        tell(delivered=sum(results.values()))

    async def run(self) -> None:
        await self._server.start()
        tell(ready=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            command, _, text = line.strip().partition(" ")
            if command == "broadcast":
                self._tasks.add(task := asyncio.create_task(self.broadcast(text)))
                task.add_done_callback(self._tasks.discard)
            elif command == "handled":
                tell(handled=self.handled)


def silence() -> None:
    """Take away what it prints and logs; the work itself stays."""
    builtins.print = lambda *_, **__: None
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    port, work, logs = sys.argv[1:4]
    if logs == "silenced":
        silence()
    asyncio.run(Peer(int(port), work == "relay").run())
