"""The handshake, its refusals and plain ASGI, as an ordinary FastAPI application sees them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from maim_edge.websocket.interface import hand_over
from maim_edge.websocket.picows.protocol import PicowsProtocol
from tests.edge.service.edge_peer import handshake, text_frame
from tests.edge.websocket.served.site import ProtocolClass, Recorder, close_code, serving

TWO_KEYS = b"Sec-WebSocket-Key: A\r\nSec-WebSocket-Key: "


def application() -> FastAPI:
    app = FastAPI()
    app.state.scopes, app.state.errors = asyncio.Queue(), asyncio.Queue()

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        app.state.scopes.put_nowait(dict(websocket.scope))
        asked = websocket.scope["subprotocols"]
        headers = [(b"x-served-by", b"me")]
        await websocket.accept(asked[0] if asked else None, headers)
        while (event := await websocket.receive())["type"] == "websocket.receive":
            await websocket.send(event | {"type": "websocket.send"})
        app.state.errors.put_nowait((event["code"], event["reason"]))

    @app.websocket("/closed")
    async def closed(websocket: WebSocket) -> None:
        await websocket.close()

    @app.websocket("/denied")
    async def denied(websocket: WebSocket) -> None:
        headers = {"Retry-After": "5"}
        await websocket.send_denial_response(JSONResponse({"why": "no"}, 429, headers))

    @app.websocket("/failing")
    async def failing(websocket: WebSocket) -> None:
        raise LookupError("a bug")

    @app.websocket("/failing-late")
    async def failing_late(websocket: WebSocket) -> None:
        await websocket.accept()
        raise LookupError("a bug")

    @app.websocket("/brief")
    async def brief(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("hello")

    @app.websocket("/leaving")
    async def leaving(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close(4001, "enough")

    @app.websocket("/talking")
    async def talking(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.send_text("x" * 100_000)
        except (WebSocketDisconnect, RuntimeError) as error:
            app.state.errors.put_nowait(error)

    @app.websocket("/greedy")
    async def greedy(websocket: WebSocket) -> None:
        for moment in ("before", "after"):
            try:
                hand_over(websocket.scope, Recorder())
            except RuntimeError as error:
                app.state.errors.put_nowait((moment, str(error)))
            if moment == "before":
                await websocket.accept()
                hand_over(websocket.scope, Recorder())

    return app


async def refused(url: str, **options: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, **options)
    return caught.value


async def test_text_and_bytes_pass_as_asgi_has_them(ws: ProtocolClass) -> None:
    app = application()
    async with serving(ws, app=app) as site:
        async with connect(f"ws://127.0.0.1:{site.port}/echo", max_size=None) as conn:
            for message in ("é", b"\xff", "x" * 3_000_000, b"y" * 70_000, "", b""):
                await conn.send(message)
                assert await conn.recv() == message
            await conn.close(4002, "bye")
        assert await app.state.errors.get() == (4002, "bye")


async def test_a_large_text_that_is_not_utf8_never_reaches_an_application(
    ws: ProtocolClass,
) -> None:
    async with serving(ws, app=application()) as site:
        client = await site.client("/echo")
        client.send(text_frame(b"\xff" * 2_000_000))
        assert await close_code(client) == 1007


async def test_the_scope_is_that_of_the_handshake(ws: ProtocolClass) -> None:
    app = application()
    async with serving(ws, app=app) as site:
        client = await site.tcp()
        client.send(handshake("/%65cho?a=b%20c&d", "X-Name: one", "x-name:  two ", "Empty:"))
        await client.head()
        scope = await app.state.scopes.get()
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("websocket", "ws", "1.1")
    assert (scope["path"], scope["raw_path"]) == ("/echo", b"/%65cho")
    assert scope["query_string"] == b"a=b%20c&d"
    assert [value for name, value in scope["headers"] if name == b"x-name"] == [b"one", b"two"]
    assert (b"empty", b"") in scope["headers"]
    assert scope["client"][0] == "127.0.0.1"
    assert scope["server"] == ("127.0.0.1", site.port)
    assert scope["subprotocols"] == []


async def test_subprotocol_and_headers_of_the_application_are_in_the_answer(
    ws: ProtocolClass,
) -> None:
    async with serving(ws, app=application()) as site:
        url = f"ws://127.0.0.1:{site.port}/echo"
        async with connect(url, subprotocols=["one", "two"]) as conn:  # type: ignore[list-item]
            assert conn.subprotocol == "one"
            assert conn.response is not None
            assert conn.response.headers["x-served-by"] == "me"


async def test_an_upgrade_among_other_words_of_the_header_is_one(ws: ProtocolClass) -> None:
    async with serving(ws, app=application()) as site:
        client = await site.tcp()
        request = handshake("/echo").replace(
            b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"
        )
        client.send(request)
        assert (await client.head()).startswith("HTTP/1.1 101 ")


async def test_a_close_before_the_upgrade_is_403(ws: ProtocolClass) -> None:
    async with serving(ws, app=application()) as site:
        error = await refused(f"ws://127.0.0.1:{site.port}/closed")
        assert error.response.status_code == 403
        assert (await refused(f"ws://127.0.0.1:{site.port}/none")).response.status_code == 403


async def test_a_denial_response_is_sent_as_it_is(ws: ProtocolClass) -> None:
    async with serving(ws, app=application()) as site:
        response = (await refused(f"ws://127.0.0.1:{site.port}/denied")).response
        assert (response.status_code, response.reason_phrase) == (429, "Too Many Requests")
        assert response.headers["retry-after"] == "5"
        assert response.headers["connection"] == "close"
        assert json.loads(response.body) == {"why": "no"}


async def test_an_application_that_fails_before_the_upgrade_is_500(
    ws: ProtocolClass, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(ws, app=application()) as site:
        error = await refused(f"ws://127.0.0.1:{site.port}/failing?api_key=secret")
        assert error.response.status_code == 500
    assert "a bug" in caplog.text
    assert "secret" not in caplog.text


async def test_an_application_that_fails_or_returns_ends_its_connection(
    ws: ProtocolClass, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(ws, app=application()) as site:
        for path, code in (("failing-late", 1011), ("brief", 1000), ("leaving", 4001)):
            async with connect(f"ws://127.0.0.1:{site.port}/{path}") as conn:
                async with asyncio.timeout(10):
                    await conn.wait_closed()
            if ws is PicowsProtocol or path == "leaving":
                assert conn.close_code == code
    assert "a bug" in caplog.text


async def test_an_application_waits_for_a_peer_that_does_not_read(ws: ProtocolClass) -> None:
    app = application()
    async with serving(ws, app=app) as site:
        client = await site.client("/talking")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(app.state.errors.get(), 0.2)
        client.writer.transport.abort()
        await app.state.errors.get()


async def test_a_hand_over_needs_an_accepted_connection_and_comes_once(ws: ProtocolClass) -> None:
    app = application()
    async with serving(ws, app=app) as site:
        await site.client("/greedy")
        for moment in ("before", "after"):
            got, text = await app.state.errors.get()
            assert (got, text.startswith("expected an accepted WebSocket")) == (moment, True)


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ((b"Version: 13", b"Version: 8"), 426, "upgrade_required"),
        ((b"Sec-WebSocket-Version: 13\r\n", b""), 426, "upgrade_required"),
        ((b"GET", b"POST"), 405, "method_not_allowed"),
        ((b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: A"), 400, "bad_request"),
        ((b"Sec-WebSocket-Key: ", b"X-Key: "), 400, "bad_request"),
        (
            (b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: AA\r\nSec-WebSocket-Key: "),
            400,
            "bad_request",
        ),
        ((b" HTTP/1.1", b" HTTP"), 400, "bad_request"),
        ((b"Host:", b"X: " + b"x" * 9000 + b"\r\nHost:"), 431, "request_header_fields_too_large"),
    ],
)
async def test_a_wrong_handshake_is_answered_in_json_and_the_connection_closed(
    ws: ProtocolClass, change: tuple[bytes, bytes], status: int, error: str
) -> None:
    async with serving(ws, app=application()) as site:
        client = await site.tcp()
        client.send(handshake("/echo?api_key=secret").replace(*change))
        head, body = await client.head(), await client.rest()
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert json.loads(body)["error"] == error
        assert b"secret" not in head.encode() + body
