"""grpcio with our options and a peer that falls silent."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

from maim_protocol.grpc_options import keepalive

SECONDS = 20.0
# RFC 9113 section 6.5: empty SETTINGS, and the acknowledgement of the peer's.
SETTINGS = b"\0\0\0\4\0\0\0\0\0" + b"\0\0\0\4\1\0\0\0\0"


async def say_hello_and_no_more(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(SETTINGS)
    await reader.read(-1)
    writer.close()


async def test_a_peer_that_answers_no_ping_is_given_up_in_the_time_that_was_asked_for() -> None:
    server = await asyncio.start_server(say_hello_and_no_more, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{port}", keepalive(0.1, 0.1)) as peer:
        call: Any = peer.unary_unary("/any/Method")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(call(b""), SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
