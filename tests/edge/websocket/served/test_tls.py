"""Both protocol classes over TLS."""

from __future__ import annotations

import ssl

import pytest
import trustme
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.edge.websocket.served.site import Echo, ProtocolClass, serving


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server and of a client that trusts it."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_messages_and_closes_pass_over_tls(
    ws: ProtocolClass, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = contexts
    async with serving(ws, Echo, ssl_context=server) as site:
        url = f"wss://localhost:{site.port}/direct"
        async with connect(url, ssl=client, max_size=None) as conn:
            listener = await site.listener()
            for size in (0, 1, 125, 1000, 1001, 70_000, 3_000_000):
                await conn.send("x" * size)
                assert len(await conn.recv()) == size
            listener.socket.send_all([b"one", b"two"])
            listener.socket.send_piece(b"a", first=True, last=False)
            listener.socket.send_piece(b"b", first=False, last=True)
            assert [await conn.recv() for _ in range(3)] == ["one", "two", "ab"]
            listener.socket.close(4400, "bye")
            with pytest.raises(ConnectionClosed):
                await conn.recv()
        assert (conn.close_code, conn.close_reason) == (4400, "bye")
        assert await listener.end() == (4400, "bye")


async def test_the_last_words_to_a_peer_that_broke_the_protocol_are_read_over_tls(
    ws: ProtocolClass, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = contexts
    async with serving(ws, ssl_context=server, ws_max_size=1000) as site:
        async with connect(f"wss://localhost:{site.port}/direct", ssl=client) as conn:
            listener = await site.listener()
            listener.protocol_error_message = b"too large"
            await conn.send("x" * 1001)
            assert await conn.recv() == "too large"
            with pytest.raises(ConnectionClosed):
                await conn.recv()
        assert conn.close_code == 1009
        assert (await listener.end())[0] == 1009
