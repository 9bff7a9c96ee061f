"""A client with TLS for tls_server.py: checks the server's certificate and shows its own.

python tls_client.py DIR [PORT]
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from pathlib import Path

from maim_message.client import WebSocketClient, create_ssl_client_config
from maim_message.message import APIMessageBase, BaseMessageInfo, MessageDim, Seg


async def main(certs: Path, port: int) -> None:
    config = create_ssl_client_config(
        url=f"wss://localhost:{port}/ws",
        api_key="alice",
        ssl_ca_certs=str(certs / "ca.crt"),
        ssl_certfile=str(certs / "client.crt"),
        ssl_keyfile=str(certs / "client.key"),
    )
    async with WebSocketClient(config) as client:
        if not client.is_connected():
            sys.exit(f"not connected: {client.get_last_error()}")
        message = APIMessageBase(
            BaseMessageInfo("default", str(uuid.uuid4()), time.time()),
            Seg("text", "nobody else reads this"),
            MessageDim("alice", "default"),
        )
        print(f"acknowledged: {await client.send_message(message, wait_ack=True)}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 18044))
