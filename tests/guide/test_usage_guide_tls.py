"""The usage guide on TLS, with its own self-signed certificate and with those of `maim certs`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from maim_message.cli.certs import NAMES, write
from maim_message.client import ClientConfig, WebSocketClient
from maim_message.server import ServerConfig, WebSocketServer
from tests import needs
from tests.guide.person import text
from tests.guide.running import Printed, free_port, run

SUBJECT = "/C=CN/ST=Beijing/L=Beijing/O=Test/CN=localhost"


def self_signed(folder: Path) -> None:
    """Make certificates with the guide's commands; the client shows the same one as the server."""
    openssl = needs.program("openssl", "apt-get install openssl")
    genrsa = ["genrsa", "-out", "server.key", "2048"]
    request = ["req", "-new", "-x509", "-key", "server.key", "-out", "server.crt", "-days", "365"]
    for arguments in (genrsa, [*request, "-subj", SUBJECT]):
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)
    for name, copy in {"crt": ("ca.crt", "client.crt"), "key": ("client.key",)}.items():
        for path in copy:
            shutil.copy(folder / f"server.{name}", folder / path)


@pytest.fixture(params=["openssl", "maim certs"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "openssl":
        self_signed(tmp_path)
    else:
        write(tmp_path, NAMES)
    return tmp_path


async def configs(folder: Path, printed: Printed) -> tuple[list[ServerConfig], list[ClientConfig]]:
    port = free_port()
    server = await run("ssl_server_configuration", port, folder, print=printed)
    client = await run("ssl_client_configuration", port, folder, print=printed)
    return server.every["config"], client.every["config"]


async def test_every_client_configuration_connects_where_no_client_certificate_is_asked_for(
    folder: Path, printed: Printed
) -> None:
    [_, one_sided], clients = await configs(folder, printed)
    async with WebSocketServer(one_sided):
        for config in clients:
            async with WebSocketClient(config) as client:
                assert client.is_connected(), client.get_last_error()


async def test_only_the_client_with_a_certificate_connects_where_one_is_asked_for(
    folder: Path, printed: Printed
) -> None:
    [mutual, _], clients = await configs(folder, printed)
    async with WebSocketServer(mutual):
        for config in clients:
            config.update(auto_reconnect=False)
            async with WebSocketClient(config) as client:
                assert client.is_connected() is (config.ssl_certfile is not None)
                if client.is_connected():
                    message = text("secret", "your_api_key", "default")
                    assert await client.send_message(message, wait_ack=True)
    await printed.line("收到SSL消息: secret")
