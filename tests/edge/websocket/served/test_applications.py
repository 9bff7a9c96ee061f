"""Applications that know ASGI alone, and what they do wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from uvicorn.protocols.utils import ClientDisconnected
from websockets.asyncio.client import connect

from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from tests.edge.service.edge_peer import handshake
from tests.edge.websocket.served.site import Echo, ProtocolClass, close, close_code, serving

ACCEPT = {"type": "websocket.accept"}
START = {"type": "websocket.http.response.start", "status": 418, "headers": []}
BODY = {"type": "websocket.http.response.body", "body": b"te", "more_body": True}


class Application:
    """Sends these events; `errors` is what each of them raised, or None."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.events = events
        self.errors: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.received: asyncio.Queue[str] = asyncio.Queue()
        self.go_on = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        for event in self.events:
            try:
                await send(event)
            except (RuntimeError, OSError) as error:
                self.errors.put_nowait(error)
            else:
                self.errors.put_nowait(None)
        with suppress(asyncio.CancelledError):
            while (event := await receive())["type"] != "websocket.disconnect":
                self.received.put_nowait(event["type"])
            self.received.put_nowait(event["type"])
            await self.go_on.wait()
            try:
                await send({"type": "websocket.send", "text": "late"})
            except (RuntimeError, OSError) as error:
                self.errors.put_nowait(error)

    async def outcomes(self, count: int) -> list[type[Exception] | None]:
        """What came of the first sends."""
        errors = [await asyncio.wait_for(self.errors.get(), 20) for _ in range(count)]
        return [type(error) if error is not None else None for error in errors]


@pytest.mark.parametrize(
    ("events", "outcomes"),
    [
        ([{"type": "websocket.send", "text": "x"}], [RuntimeError]),
        ([START, ACCEPT], [None, RuntimeError]),
        ([ACCEPT, ACCEPT], [None, RuntimeError]),
        ([ACCEPT, START], [None, RuntimeError]),
        ([ACCEPT, {"type": "nonsense"}], [None, RuntimeError]),
    ],
)
async def test_an_event_out_of_place_is_an_error_of_the_application(
    ws: ProtocolClass, events: list[dict[str, Any]], outcomes: list[type[Exception] | None]
) -> None:
    app = Application(*events)
    async with serving(ws, app=app) as site:
        client = await site.tcp()
        client.send(handshake("/"))
        assert await app.outcomes(len(events)) == outcomes


async def test_a_denial_may_come_in_parts(ws: ProtocolClass) -> None:
    app = Application(START, BODY, {**BODY, "body": b"apot", "more_body": False})
    async with serving(ws, app=app) as site:
        client = await site.tcp()
        client.send(handshake("/"))
        assert (await client.head()).startswith("HTTP/1.1 418 ")
        assert await client.rest() == b"teapot"
        assert await app.outcomes(3) == [None, None, None]


async def test_sending_to_a_peer_that_has_left_is_an_os_error(ws: ProtocolClass) -> None:
    app = Application(ACCEPT)
    async with serving(ws, app=app) as site:
        client = await site.client("/")
        client.send(close(1000))
        assert await close_code(client) == 1000
        await client.rest()
        while await app.received.get() != "websocket.disconnect":
            pass
        await site.empty()
        app.go_on.set()
        assert await app.outcomes(2) == [None, ClientDisconnected]


async def test_a_client_that_leaves_before_it_is_answered_is_a_disconnect(
    ws: ProtocolClass,
) -> None:
    app = Application()
    async with serving(ws, app=app) as site:
        client = await site.tcp()
        client.send(handshake("/"))
        assert await app.received.get() == "websocket.connect"
        await client.aclose()
        assert await app.received.get() == "websocket.disconnect"


async def test_a_server_that_stops_refuses_whom_it_has_not_answered(ws: ProtocolClass) -> None:
    app = Application()
    async with serving(ws, app=app) as site:
        client = await site.tcp()
        client.send(handshake("/"))
        assert await app.received.get() == "websocket.connect"
    assert (await client.head()).startswith("HTTP/1.1 500 ")


async def test_a_listener_is_served_compressed_too_where_that_is_asked_for() -> None:
    async with serving(EdgeWebSocketProtocol, Echo, ws_per_message_deflate=True) as site:
        async with connect(f"ws://127.0.0.1:{site.port}/direct") as conn:
            assert conn.protocol.extensions
            await conn.send("x" * 5000)
            assert await conn.recv() == "x" * 5000
            socket = (await site.listener()).socket
            socket.send_all([b"one", b"two"])
            socket.send_piece(b"a" * 1000, first=True, last=False)
            socket.send_piece(b"b", first=False, last=True)
            assert [await conn.recv() for _ in range(3)] == ["one", "two", "a" * 1000 + "b"]
