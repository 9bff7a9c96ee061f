"""`maim certs`: certificates that real TLS takes."""

from __future__ import annotations

import asyncio
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from maim_edge.service.tls import server_context
from maim_edge.settings import EdgeSettings
from tests.cli.terminal import Terminal

FILES = ["ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"]


async def shake_hands(folder: Path, host: str) -> None:
    settings = EdgeSettings(
        tls_cert=folder / "server.crt",
        tls_key=folder / "server.key",
        tls_client_ca=folder / "ca.crt",
        tls_verify_client=True,
    )
    client = ssl.create_default_context(cafile=folder / "ca.crt")
    client.load_cert_chain(folder / "client.crt", folder / "client.key")
    # The default from Python 3.13 on.
    client.verify_flags |= ssl.VERIFY_X509_STRICT

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server_context(settings))
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client, server_hostname=host
        )
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()


def test_the_six_files_are_there_and_the_keys_are_private(maim: Terminal, tmp_path: Path) -> None:
    ended = maim("certs", "dev/certs")
    assert ended.out.split() == [f"dev/certs/{name}" for name in FILES]
    modes = {p.suffix: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "dev/certs").iterdir()}
    assert modes == {".crt": 0o644, ".key": 0o600}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "edge.internal", "10.1.2.3"])
async def test_mutual_tls_works_with_every_name(maim: Terminal, tmp_path: Path, host: str) -> None:
    assert maim("certs", ".", "--name", "edge.internal", "--name", "10.1.2.3", "--json").code == 0
    await shake_hands(tmp_path, host)


async def test_another_name_is_refused(maim: Terminal, tmp_path: Path) -> None:
    maim("certs", ".")
    with pytest.raises(ssl.SSLCertVerificationError, match=r"not valid for 'edge.internal'"):
        await shake_hands(tmp_path, "edge.internal")


def test_nothing_is_overwritten_unless_forced(maim: Terminal, tmp_path: Path) -> None:
    (tmp_path / "server.key").write_text("mine")
    ended = maim("certs", ".")
    assert (ended.code, ended.err) == (
        2,
        "maim: server.key is there already; --force overwrites it\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]
    assert maim("certs", ".", "--force").code == 0
    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "a b", "https://x", "bücher"])
def test_a_name_that_is_no_host_is_refused(maim: Terminal, tmp_path: Path, name: str) -> None:
    ended = maim("certs", ".", "--name", name)
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])
    assert ended.err == f"maim: --name: expected a host name or address, got {name!r}\n"


def test_a_folder_that_cannot_be_made_is_named(maim: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = maim("certs", "file/certs")
    assert ended.code == 2
    assert ended.err.startswith("maim: file/certs: cannot write there (")


def test_the_leaves_last_no_longer_than_browsers_take(maim: Terminal, tmp_path: Path) -> None:
    maim("certs", ".")
    cert = x509.load_pem_x509_certificate((tmp_path / "server.crt").read_bytes())
    assert (cert.not_valid_after_utc - cert.not_valid_before_utc).days <= 825
