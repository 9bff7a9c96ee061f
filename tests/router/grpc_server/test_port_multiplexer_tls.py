"""TLS ends at the router's door, for whoever comes; what is wrong with it is said as by grpcio."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path

import grpc
import pytest
import trustme

from maim_protocol.errors import ConfigError
from maim_router.grpc_server.listening import ServerTls
from maim_router.grpc_server.server import RouterService, ServiceOptions
from tests.router.grpc_server.multiplexer_peer import healthy, node, served


class Certificates:
    """Files of an authority, a server and a client."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.root = self.ca.cert_pem.bytes()
        self.client = self.ca.issue_cert("edge.example")
        self.files = [folder / name for name in ("server.pem", "server.key", "ca.pem")]
        server = self.ca.issue_cert("127.0.0.1")
        for pem in server.cert_chain_pems:
            pem.write_to_path(self.files[0], append=True)
        server.private_key_pem.write_to_path(self.files[1])
        self.ca.cert_pem.write_to_path(self.files[2])

    def channel(self, address: str, *, show: bool) -> grpc.aio.Channel:
        """A channel that trusts the authority."""
        chain = b"".join(pem.bytes() for pem in self.client.cert_chain_pems)
        pair = (self.client.private_key_pem.bytes(), chain) if show else ()
        credentials = grpc.ssl_channel_credentials(self.root, *pair)
        return grpc.aio.secure_channel(address, credentials)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


async def test_tls_ends_at_the_door_for_grpcio_too(certificates: Certificates) -> None:
    cert, key, _ = certificates.files
    async with (
        served(tls=ServerTls(cert, key)) as service,
        certificates.channel(service.addresses[0], show=False) as channel,
    ):
        assert await healthy(channel)


async def test_a_client_needs_a_certificate_where_one_is_asked_for(
    certificates: Certificates, bridge: str
) -> None:
    async with served(tls=ServerTls(*certificates.files), bridge=bridge) as service:
        async with certificates.channel(service.addresses[0], show=True) as channel:
            assert await healthy(channel)
        async with certificates.channel(service.addresses[0], show=False) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await healthy(channel)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_tls_client_that_speaks_no_http2_is_sent_away(certificates: Certificates) -> None:
    cert, key, _ = certificates.files
    context = ssl.create_default_context(cadata=certificates.root.decode())
    async with served(tls=ServerTls(cert, key)) as service:
        host, _, port = service.addresses[0].rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("wrong", [0, 1, 2])
async def test_a_bad_certificate_is_an_error_of_one_line(
    certificates: Certificates, wrong: int, bridge: str
) -> None:
    certificates.files[wrong].write_text("no PEM")
    tls = ServerTls(*certificates.files)
    service = RouterService(node(), ServiceOptions(["127.0.0.1:0"], tls=tls, bridge=bridge))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="`maim certs DIR` makes a set that does") as caught:
        await service.start()
    assert "\n" not in str(caught.value)
    await service.stop()
