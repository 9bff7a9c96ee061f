from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from maim_message.client import WebSocketClient, create_ssl_client_config
from tests.sdk.edge import running_edge

CA = trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    CA.cert_pem.write_to_path(tmp_path / "ca.crt")
    return str(tmp_path / "ca.crt")


def server_context(*names: str, client_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*names).configure_cert(context)
    if client_certificate:
        CA.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_a_server_that_the_ca_vouches_for_is_trusted(ca_file: str) -> None:
    async with running_edge(server_context("localhost")) as edge:
        config = create_ssl_client_config(url=edge.url, api_key="k", ssl_ca_certs=ca_file)
        async with WebSocketClient(config) as client:
            assert client.is_connected()


async def test_an_unknown_ca_is_refused_with_the_reason() -> None:
    async with running_edge(server_context("localhost")) as edge:
        config = create_ssl_client_config(url=edge.url, api_key="k", auto_reconnect=False)
        async with WebSocketClient(config) as client:
            assert not client.is_connected()
            assert "certificate verify failed" in str(client.get_last_error())
        assert edge.handshakes == []


@pytest.mark.parametrize(("check", "connected"), [(True, False), (False, True)])
async def test_the_host_name_is_checked_unless_told_not_to(
    ca_file: str, check: bool, connected: bool
) -> None:
    async with running_edge(server_context("elsewhere.example")) as edge:
        config = create_ssl_client_config(
            host="localhost",
            port=edge.port,
            api_key="k",
            ssl_ca_certs=ca_file,
            ssl_check_hostname=check,
            auto_reconnect=False,
        )
        async with WebSocketClient(config) as client:
            assert client.is_connected() is connected


async def test_verification_can_be_switched_off() -> None:
    async with running_edge(server_context("elsewhere.example")) as edge:
        config = create_ssl_client_config(url=edge.url, api_key="k", ssl_verify=False)
        async with WebSocketClient(config) as client:
            assert client.is_connected()


async def test_a_client_certificate_is_shown_when_there_is_one(
    ca_file: str, tmp_path: Path
) -> None:
    own = CA.issue_cert("client.example")
    own.cert_chain_pems[0].write_to_path(tmp_path / "client.crt")
    own.private_key_pem.write_to_path(tmp_path / "client.key")
    async with running_edge(server_context("localhost", client_certificate=True)) as edge:
        config = create_ssl_client_config(
            url=edge.url,
            api_key="k",
            ssl_ca_certs=ca_file,
            ssl_certfile=tmp_path / "client.crt",
            ssl_keyfile=tmp_path / "client.key",
        )
        async with WebSocketClient(config) as client:
            assert client.is_connected()


async def test_a_missing_certificate_file_is_final_and_says_so(tmp_path: Path) -> None:
    missing = tmp_path / "missing.crt"
    config = create_ssl_client_config(host="localhost", api_key="k", ssl_ca_certs=missing)
    async with WebSocketClient(config) as client:
        assert not client.is_connected()
        assert "ssl_ca_certs" in str(client.get_last_error())
        assert client.get_stats()["connect_attempts"] == 1
