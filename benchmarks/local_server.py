"""Router and edge in one process, told what to do on stdin.

`python -m benchmarks.local_server PORT APP`; `broadcast TEXT` is answered with a line of JSON
when the text is on the sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
import uuid
from dataclasses import replace
from typing import Any

from benchmarks import apps
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg
from maim_message.server import WebSocketServer


def tell(**what: Any) -> None:
    """Answer with one line."""
    print(json.dumps(what), flush=True)


async def broadcast(server: WebSocketServer, text: str) -> None:
    """Send to all, and tell how many have it."""
    message = APIMessageBase(
        BaseMessageInfo("bench", uuid.uuid4().hex, time.time()),
        Seg("text", text),
        MessageDim("all", "bench"),
    )
    tell(delivered=sum((await server.broadcast_message(message)).values()))


async def serve(port: int, app: str) -> None:
    """Serve until stdin ends."""
    async with WebSocketServer(
        replace(getattr(apps, app), port=port, log_level="WARNING")
    ) as server:
        tell(ready=True)
        tasks: set[asyncio.Task[None]] = set()
        while line := await asyncio.to_thread(sys.stdin.readline):
            _, _, text = line.strip().partition(" ")
            tasks.add(task := asyncio.create_task(broadcast(server, text)))
            task.add_done_callback(tasks.discard)


def main() -> None:
    """Run on uvloop where there is one, as `maim serve` does."""
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
