"""Messages of an application's own types: a client asks "add", the server answers "sum".

python custom_types.py [PORT]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from maim_message.client import WebSocketClient, create_client_config
from maim_message.server import WebSocketServer, create_server_config


async def main(port: int) -> None:
    sums: asyncio.Queue[int] = asyncio.Queue()

    async def add(payload: dict[str, Any], metadata: dict[str, Any]) -> None:
        total = sum(payload["numbers"])
        await server.send_custom_message("sum", {"total": total}, connection_uuid=metadata["uuid"])

    def take(payload: dict[str, Any]) -> None:
        sums.put_nowait(payload["total"])

    server_config = create_server_config(host="localhost", port=port)
    server_config.register_custom_handler("add", add)
    server = WebSocketServer(server_config)

    async with server:
        client_config = create_client_config(server.url, api_key="alice")
        client_config.register_custom_handler("sum", take)
        async with WebSocketClient(client_config) as client:
            await client.send_custom_message("add", {"numbers": [20, 1, 21]})
            print(f"the sum is {await sums.get()}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 18040))
