"""wss, mutual TLS, TLS and a token on the bridge; nothing secret in argv or logs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.exceptions import InvalidMessage

from maim_router.auth.credentials.tokens import Tokens
from tests.system.pair import Pair, message, receive, running_pair


@dataclass
class Certificates:
    """Files of one authority, a server and a client."""

    folder: Path
    authority: trustme.CA

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Write `ca.pem`, `server.*` and `client.*`."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        for name, host in (("server", "127.0.0.1"), ("client", "edge.example")):
            issued = authority.issue_cert(host)
            issued.private_key_pem.write_to_path(folder / f"{name}.key")
            for pem in issued.cert_chain_pems:
                pem.write_to_path(folder / f"{name}.pem", append=True)
        return cls(folder, authority)

    def path(self, name: str) -> Path:
        """One of the files."""
        return self.folder / name

    def client_context(self, *, certificate: bool) -> ssl.SSLContext:
        """What a client trusts and shows."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if certificate:
            context.load_cert_chain(self.path("client.pem"), self.path("client.key"))
        return context


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """A fresh set of certificates."""
    return Certificates.make(tmp_path)


def command_line(pid: int) -> str:
    """What other users of the machine see of a process."""
    return Path(f"/proc/{pid}/cmdline").read_text()


async def exchange(pair: Pair, context: ssl.SSLContext | None) -> None:
    options: dict[str, Any] = {"ssl": context} if context else {}
    async with pair.client("alice", **options) as alice, pair.client("bob", **options) as bob:
        for data in ('"hi"', '"' + "x" * 3_000_000 + '"'):
            await alice.send(message(f"m{len(data)}", "bob", data))
            assert (await receive(bob))["payload"]["message_segment"]["data"] == data[1:-1]
            assert (await receive(alice))["type"] == "sys_ack"


async def test_messages_pass_over_wss(certificates: Certificates) -> None:
    files = {"tls-cert": "server.pem", "tls-key": "server.key"}
    edge = {name: certificates.path(file) for name, file in files.items()}
    async with running_pair(edge=edge) as pair:
        assert pair.url.startswith("wss://")
        await exchange(pair, certificates.client_context(certificate=False))
        with pytest.raises(ssl.SSLError):
            await pair.client("alice", ssl=ssl.create_default_context())


async def test_mutual_tls_turns_away_who_shows_no_certificate(certificates: Certificates) -> None:
    files = {"tls-cert": "server.pem", "tls-key": "server.key", "tls-client-ca": "ca.pem"}
    edge: dict[str, object] = {name: certificates.path(file) for name, file in files.items()}
    async with running_pair(edge=edge | {"tls-verify-client": "true"}) as pair:
        await exchange(pair, certificates.client_context(certificate=True))
        with pytest.raises((OSError, InvalidMessage)):
            await pair.client("alice", ssl=certificates.client_context(certificate=False))


@pytest.mark.parametrize("of_edge", ["grpc", "http2"])
@pytest.mark.parametrize("of_router", ["grpc", "http2"])
async def test_the_bridge_takes_tls_both_ways_and_a_token(
    certificates: Certificates, tmp_path: Path, of_edge: str, of_router: str
) -> None:
    token = Tokens(tmp_path / "tokens.toml", create=True).add("edge", ["bridge"]).token
    router = {
        "tls-cert": certificates.path("server.pem"),
        "tls-key": certificates.path("server.key"),
        "tls-client-ca": certificates.path("ca.pem"),
        "tokens-file": tmp_path / "tokens.toml",
        "bridge": of_router,
    }
    edge = {
        "bridge": of_edge,
        "bridge-tls-ca": certificates.path("ca.pem"),
        "bridge-tls-cert": certificates.path("client.pem"),
        "bridge-tls-key": certificates.path("client.key"),
    }
    async with running_pair(router, edge | {"bridge-token": token}) as pair:
        await exchange(pair, None)
        for service in (pair.edge, pair.router):
            assert token not in service.log
            assert token not in command_line(service.pid)


@pytest.mark.parametrize("token", [None, "maim_wrong_token"])
async def test_an_edge_without_the_right_token_ends_with_2(
    token: str | None, tmp_path: Path, bridge: dict[str, str]
) -> None:
    Tokens(tmp_path / "tokens.toml", create=True).add("edge", ["bridge"])
    environment = {"MAIM_EDGE_BRIDGE_TOKEN": token} if token else {}
    pair = Pair({"tokens-file": tmp_path / "tokens.toml"} | bridge, bridge, environment)
    await pair.start_router()
    await pair.edge.start("maim: ")
    assert await pair.edge.ended() == 2
    last = pair.edge.lines[-1]
    assert last.startswith("maim: the router refuses this edge")
    assert "maim_wrong_token" not in pair.edge.log
    assert "Traceback" not in pair.edge.log
    await pair.router.kill()


async def test_no_credential_of_a_client_is_in_a_log_at_debug(tmp_path: Path) -> None:
    secret = "sesame-4711-open"
    async with running_pair(environment={"MAIM_LOG_LEVEL": "DEBUG"}) as pair:
        async with pair.client(secret) as conn:
            await conn.send(message("m1", secret))
            await receive(conn, "sys_std")
            await conn.send("bad")
            await receive(conn, "sys_error")
        async with pair.client("other", additional_headers={"x-apikey": secret}) as conn:
            await conn.send(message("m2", secret))
            await receive(conn)
        for service in (pair.edge, pair.router):
            await service.end()
            assert service.lines
            assert secret not in service.log
