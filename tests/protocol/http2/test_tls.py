"""TLS on either side, with and without client certificates, among ourselves and with grpcio."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import grpc
import pytest
import trustme

from maim_protocol.http2 import dial
from tests.protocol.http2.serving import (
    PATH,
    called,
    grpc_called,
    grpc_server,
    put,
    thin_server,
)

Context = Callable[..., ssl.SSLContext]


class Authority:
    """One authority, a server's certificate and a client's."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.server = self.ca.issue_cert("127.0.0.1", "localhost")
        self.client = self.ca.issue_cert("edge.example")

    def server_context(self, *, ask: bool = False, protocol: str = "h2") -> ssl.SSLContext:
        """What a thin server uses; `ask` for certificates of clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols([protocol])
        self.server.configure_cert(context)
        if ask:
            self.ca.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self, *, show: bool = False) -> ssl.SSLContext:
        """What a thin client uses; `show` a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["h2"])
        self.ca.configure_trust(context)
        if show:
            self.client.configure_cert(context)
        return context

    def grpc_server(self, *, ask: bool) -> grpc.ServerCredentials:
        """The same for grpcio."""
        return grpc.ssl_server_credentials([pair(self.server)], root(self.ca) if ask else None, ask)

    def grpc_client(self, *, show: bool) -> grpc.ChannelCredentials:
        """The same for grpcio."""
        return grpc.ssl_channel_credentials(root(self.ca), *(pair(self.client) if show else ()))


def root(ca: trustme.CA) -> bytes:
    return ca.cert_pem.bytes()


def pair(issued: trustme.LeafCert) -> tuple[bytes, bytes]:
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    return issued.private_key_pem.bytes(), chain


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.mark.parametrize("mutual", [False, True])
async def test_messages_pass_between_thin_peers(authority: Authority, mutual: bool) -> None:
    far, near = authority.server_context(ask=mutual), authority.client_context(show=mutual)
    async with thin_server(tls=far) as target, called(target, tls=near) as stream:
        for size in (400, 3_000_000):
            await put(stream, b"x" * size)
            assert await stream.read() == b"x" * size


@pytest.mark.parametrize("mutual", [False, True])
async def test_messages_pass_to_and_from_grpcio(authority: Authority, mutual: bool) -> None:
    credentials = authority.grpc_server(ask=mutual)
    near = authority.client_context(show=mutual)
    async with (
        grpc_server(credentials=credentials) as (target, _),
        called(target, tls=near) as stream,
    ):
        await put(stream, b"x" * 300_000)
        assert await stream.read() == b"x" * 300_000
    far = authority.server_context(ask=mutual)
    async with (
        thin_server(tls=far) as target,
        grpc_called(target, authority.grpc_client(show=mutual)) as call,
    ):
        await call.write(b"x" * 300_000)
        assert await call.read() == b"x" * 300_000


async def test_a_name_is_checked_and_localhost_is_one(authority: Authority) -> None:
    far = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    far.set_alpn_protocols(["h2"])
    authority.ca.issue_cert("localhost").configure_cert(far)
    near = authority.client_context()
    async with thin_server(tls=far) as target:
        async with called(f"dns:///localhost:{target.split(':')[1]}", tls=near) as stream:
            await put(stream, b"x")
            assert await stream.read() == b"x"
        with pytest.raises(ssl.SSLCertVerificationError):
            await dial(target, PATH, tls=near)


async def test_a_server_of_another_authority_is_not_trusted(authority: Authority) -> None:
    async with thin_server(tls=authority.server_context()) as target:
        with pytest.raises(ssl.SSLCertVerificationError):
            await dial(target, PATH, tls=Authority().client_context())


async def test_a_client_without_a_certificate_is_not_served(authority: Authority) -> None:
    async with thin_server(tls=authority.server_context(ask=True)) as target:
        with pytest.raises(OSError, match=r"(?i)certificate|lost|closed"):
            await dial(target, PATH, tls=authority.client_context())


async def test_tls_and_none_do_not_meet(authority: Authority) -> None:
    async with thin_server(tls=authority.server_context()) as target:
        with pytest.raises(ConnectionError):
            await dial(target, PATH)
    async with thin_server() as target:
        with pytest.raises(OSError, match=r"(?i)ssl|version|record|lost|closed"):
            await dial(target, PATH, tls=authority.client_context())


async def test_a_server_that_speaks_something_else_over_tls_is_not_reached(
    authority: Authority,
) -> None:
    async with thin_server(tls=authority.server_context(protocol="http/1.1")) as target:
        with pytest.raises(ConnectionError, match="expected the protocol h2"):
            await dial(target, PATH, tls=authority.client_context())
