"""A server that tells who comes and goes, and prints its counters.

python monitoring.py [PORT] [SECONDS]
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from maim_message.server import ServerConfig, WebSocketServer

SHOWN = ("current_users", "current_connections", "messages_processed", "failed_auths")


def came(connection_uuid: str, metadata: dict[str, Any]) -> None:
    print(f"+ {metadata['user_id']} on {metadata['platform']}", flush=True)


def left(connection_uuid: str, metadata: dict[str, Any]) -> None:
    print(f"- {metadata['user_id']} on {metadata['platform']}", flush=True)


async def report(server: WebSocketServer, seconds: float) -> None:
    while True:
        stats = server.get_stats()
        print(json.dumps({name: stats[name] for name in SHOWN}), flush=True)
        await asyncio.sleep(seconds)


async def main(port: int, seconds: float) -> None:
    config = ServerConfig(
        host="localhost",
        port=port,
        on_auth=lambda metadata: metadata["api_key"] != "refused",
        on_auth_extract_user=lambda metadata: metadata["api_key"],
        on_message=lambda message, metadata: None,
        on_connect=came,
        on_disconnect=left,
    )
    async with WebSocketServer(config) as server:
        print(f"ready on {server.url}", flush=True)
        await report(server, seconds)


if __name__ == "__main__":
    words = sys.argv[1:]
    try:
        asyncio.run(main(int(words[0]) if words else 18040, float(words[1]) if words[1:] else 10))
    except KeyboardInterrupt:
        print("stopped")
