"""Proxies: which one is used, and what is said when it does not work."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.client.transport.proxy import proxy_for
from maim_protocol.errors import ConfigError
from tests.sdk.edge import Edge

NAMES = ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy", "no_proxy")
DESKTOP = "http://127.0.0.1:1"
needs_proxies = pytest.mark.skipif(
    "proxy" not in inspect.signature(connect.__init__).parameters, reason="websockets 14 knows none"
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def config(url: str, **settings: str) -> ClientConfig:
    return ClientConfig(url, "key", **settings)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "WS_PROXY"])
def test_the_environment_names_a_proxy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name.lower(), DESKTOP)
    assert proxy_for(config("ws://edge.example/ws")) == DESKTOP
    assert proxy_for(config("ws://edge.example/ws", proxy="off")) is None
    assert proxy_for(config("ws://edge.example/ws", proxy="http://other:1")) == "http://other:1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "[::1]", "localhost", "a.localhost"])
def test_loopback_is_reached_directly(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    assert proxy_for(config(f"ws://{host}:18040/ws")) is None


@pytest.mark.parametrize(
    "names", ["*", ".example.com", "edge.example.com", "a,edge.example.com:18040"]
)
def test_what_no_proxy_names_is_reached_directly(
    names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", DESKTOP)
    monkeypatch.setenv("no_proxy", names)
    assert proxy_for(config("ws://edge.example.com:18040/ws")) is None


@pytest.mark.parametrize("proxy", ["", "on", "127.0.0.1:7890", "ftp://host:1", "http://"])
def test_another_proxy_is_a_config_error(proxy: str) -> None:
    with pytest.raises(ConfigError, match=r"ClientConfig\.proxy: expected auto, off, or a URL"):
        config("ws://edge.example/ws", proxy=proxy)


async def test_a_desktop_proxy_is_not_in_the_way_of_loopback(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "socks5://127.0.0.1:1")
    async with WebSocketClient(config(edge.url)) as client:
        assert client.is_connected()


@contextlib.asynccontextmanager
async def tunnelling(asked: list[bytes]) -> AsyncIterator[int]:
    """A proxy that knows CONNECT and remembers where it was asked to go."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split()[1])
        host, _, port = asked[-1].decode().rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@needs_proxies
async def test_a_proxy_that_is_named_is_gone_through(edge: Edge) -> None:
    asked: list[bytes] = []
    async with tunnelling(asked) as port:
        settings = config(edge.url, proxy=f"http://127.0.0.1:{port}")
        async with WebSocketClient(settings) as client:
            assert client.is_connected()
    assert asked == [f"localhost:{edge.port}".encode()]


@needs_proxies
async def test_a_proxy_that_does_not_answer_is_named_without_its_password(edge: Edge) -> None:
    settings = config(
        edge.url,
        proxy="http://me:secret@127.0.0.1:1",
    )
    async with WebSocketClient(settings) as client:
        assert not client.is_connected()
        error = client.get_last_error() or ""
    assert "through the proxy http://127.0.0.1:1" in error
    assert "secret" not in error
