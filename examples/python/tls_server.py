"""A server with TLS that lets in whoever shows a client certificate; `maim certs DIR` first.

python tls_server.py DIR [PORT]
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from maim_message.message import APIMessageBase
from maim_message.server import WebSocketServer, create_ssl_server_config


def show(message: APIMessageBase, metadata: dict[str, Any]) -> None:
    print(f"{metadata['user_id']}: {message.message_segment.data}", flush=True)


async def main(certs: Path, port: int) -> None:
    config = create_ssl_server_config(
        host="localhost",
        port=port,
        ssl_certfile=str(certs / "server.crt"),
        ssl_keyfile=str(certs / "server.key"),
        ssl_ca_certs=str(certs / "ca.crt"),
        ssl_verify=True,  # clients need a certificate of this authority
        on_auth_extract_user=lambda metadata: metadata["api_key"],
        on_message=show,
    )
    async with WebSocketServer(config) as server:
        print(f"ready on {server.url}", flush=True)
        await asyncio.Event().wait()  # until Ctrl-C


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 18044))
    except KeyboardInterrupt:
        print("stopped")
