"""grpcio with our options and a peer that falls silent."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from maim_runtime.grpc_options import keepalive

SECONDS = 20.0
# RFC 9113 section 6.5: empty SETTINGS, and the acknowledgement of the peer's.
SETTINGS = b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0"


class SilentPeer:
    """Says hello and no more, to whoever comes."""

    def __init__(self) -> None:
        self.serving: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.serving.add(asyncio.current_task())
        writer.write(SETTINGS)
        await reader.read(-1)
        writer.close()
        await writer.wait_closed()


async def test_a_peer_that_answers_no_ping_is_given_up_in_the_time_that_was_asked_for() -> None:
    peer = SilentPeer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", keepalive(0.1, 0.1)) as channel:
            call: Any = channel.unary_unary("/any/Method")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await asyncio.wait_for(call(b""), SECONDS)
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*filter(None, peer.serving), return_exceptions=True)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
