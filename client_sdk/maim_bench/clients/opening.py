"""Opens many connections, so many at a time, and tells how long it took."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from picows import WSError, WSTransport, ws_connect

from maim_bench.clients.client import Client, Wire
from maim_bench.plan import Plan

HANDSHAKE_SECONDS = 60.0
READ_BUFFER_BYTES = 4096
# Nobody needs every error of a thousand refused connections.
MOST_ERRORS = 5


@dataclass
class Opened:
    """How it went: connections that were made, seconds, and the first errors."""

    made: int
    failed: int
    seconds: float
    errors: list[str]


async def open_all(clients: Sequence[Client], wire: Wire, plan: Plan) -> Opened:
    """Open a connection for each client; one that is refused is counted, not raised."""
    context = _context(plan)
    waiting = iter(clients)
    errors: list[str] = []
    began = time.monotonic()

    async def work() -> int:
        failed = 0
        for client in waiting:
            try:
                await _open(client, wire.url(client.number), plan, context)
            except (OSError, WSError, TimeoutError) as error:
                failed += 1
                errors.append(f"{type(error).__name__}: {error}")
        return failed

    failed = sum(await asyncio.gather(*(work() for _ in range(plan.opening))))
    return Opened(len(clients) - failed, failed, time.monotonic() - began, errors[:MOST_ERRORS])


async def _open(
    client: Client, url: str, plan: Plan, context: ssl.SSLContext | None
) -> WSTransport:
    options: dict[str, Any] = {}
    if plan.local_address:
        options["local_addr"] = (plan.local_address, 0)
    transport, _ = await ws_connect(
        lambda: client,
        url,
        ssl_context=context,
        websocket_handshake_timeout=HANDSHAKE_SECONDS,
        read_buffer_init_size=READ_BUFFER_BYTES,
        # The loop's own transport joins the writes of a tick; aiofastnet's writes at once.
        use_aiofastnet=False,
        **options,
    )
    return transport


def _context(plan: Plan) -> ssl.SSLContext | None:
    if not any(url.startswith("wss:") for url in plan.urls):
        return None
    return ssl.create_default_context(cafile=plan.ca or None)
