"""A python-socketio server that passes messages on: `python -I socketio_server.py PORT`.

`broadcast TEXT` on stdin is answered with a line of JSON when it was emitted to all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from urllib.parse import parse_qs

import socketio
import uvicorn

server = socketio.AsyncServer(async_mode="asgi", logger=False, engineio_logger=False)


@server.event
async def connect(sid: str, environ: dict[str, Any]) -> None:
    (user,) = parse_qs(environ["QUERY_STRING"])["user"]
    await server.enter_room(sid, user)


@server.on("msg")
async def on_msg(sid: str, message: dict[str, Any]) -> str:
    await server.emit("msg", message, room=message["to"])
    return "ok"


async def obey() -> None:
    tell(ready=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await server.emit("msg", {"text": line.strip().partition(" ")[2]})
        tell(sent=True)


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def main(port: int) -> None:
    app = socketio.ASGIApp(server)
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="warning", ws_max_queue=1000)
    await asyncio.gather(uvicorn.Server(config).serve(), obey())


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))
