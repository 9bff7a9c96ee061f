"""uvicorn inside our loop, over real sockets, and the admin app on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme
from fastapi import FastAPI, WebSocket
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from maim_runtime.http.admin import admin_app
from maim_runtime.http.server import HttpServer, bind, bound_port


@asynccontextmanager
async def serving(app: Any, **config: Any) -> AsyncIterator[int]:
    sock = bind("127.0.0.1", 0)
    port = bound_port(sock)
    server = HttpServer()
    await server.start(app, sock, **config)
    try:
        yield port
    finally:
        await server.stop(0.2)


async def get(port: int, path: str, tls: ssl.SSLContext | None = None) -> tuple[int, Any]:
    """Ask with a GET; returns status and JSON."""
    name = "localhost" if tls else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=name)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), json.loads(body)


def echo_app() -> FastAPI:
    app = FastAPI()

    @app.websocket("/ws")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    return app


async def test_admin_says_that_the_process_lives_and_whether_it_is_ready() -> None:
    reason: str | None = "no router is attached"
    async with serving(admin_app(lambda: reason)) as port:
        assert await get(port, "/healthz") == (200, {"status": "ok"})
        assert await get(port, "/readyz") == (503, {"status": "not ready", "reason": reason})
        reason = None
        assert await get(port, "/readyz") == (200, {"status": "ready"})
        assert (await get(port, "/docs"))[0] == 404
        assert (await get(port, "/openapi.json"))[0] == 404


async def test_start_leaves_the_signals_of_the_process_alone() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serving(echo_app()):
        during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert during == before


async def test_stop_closes_the_port_and_breaks_what_does_not_end() -> None:
    sock = bind("127.0.0.1", 0)
    port = bound_port(sock)
    server = HttpServer()
    entered = asyncio.Event()

    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        entered.set()
        await asyncio.Event().wait()

    await server.start(hanging, sock)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await entered.wait()
    async with asyncio.timeout(3):
        await server.stop(0.1)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError):
            await reader.read()
    writer.close()
    await server.stop(0.1)


async def test_websockets_are_served_with_the_class_that_is_asked_for() -> None:
    options = {"ws_protocol_class": "websockets-sansio", "ws_max_size": 10}
    async with serving(echo_app(), **options) as port:
        async with connect(f"ws://127.0.0.1:{port}/ws") as websocket:
            await websocket.send("hello")
            assert await websocket.recv() == "hello"
            await websocket.send("too long for it")
            with pytest.raises(ConnectionClosed):
                await websocket.recv()


async def test_tls_is_spoken_with_the_context_that_is_given() -> None:
    authority = trustme.CA()
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    async with serving(admin_app(lambda: None), ssl_context=server_context) as port:
        assert (await get(port, "/readyz", client_context))[0] == 200


async def test_no_log_line_has_the_query_string(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(echo_app(), ws_protocol_class="websockets-sansio") as port:
        async with connect(f"ws://127.0.0.1:{port}/ws?api_key=s3cret") as websocket:
            await websocket.send("x")
            await websocket.recv()
        await get(port, "/nowhere?api_key=s3cret")
    served = [r for r in caplog.records if not r.name.startswith("websockets.client")]
    assert [record.getMessage() for record in served if "s3cret" in record.getMessage()] == []


def test_a_port_in_use_is_one_line_with_a_remedy() -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = bound_port(taken)
        with pytest.raises(OSError, match="cannot listen") as caught:
            bind("127.0.0.1", port)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1:{port}: address already in use; "
        "stop the process that has the port, or choose another port"
    )


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("192.0.2.1", "cannot listen on 192.0.2.1:0: cannot assign requested address; choose an"),
        ("no.such.host.invalid", "cannot listen on no.such.host.invalid:0: the host is not known"),
        ("a" * 70 + ".invalid", "the host is not known"),
    ],
)
def test_an_address_that_is_not_ours_is_one_line_with_a_remedy(host: str, text: str) -> None:
    with pytest.raises(OSError, match="cannot listen") as caught:
        bind(host, 0)
    assert text in str(caught.value)


def test_localhost_is_bound_where_clients_of_127_0_0_1_find_it() -> None:
    with bind("localhost", 0) as sock:
        assert sock.family is socket.AF_INET
