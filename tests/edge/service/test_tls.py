"""TLS and mutual TLS from the edge's settings, over real sockets."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from maim_edge.service.tls import bridge_context, server_context
from maim_edge.settings import EdgeSettings
from maim_protocol.errors import ConfigError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(path / "ca.crt"))
    for name in ("server", "client"):
        leaf = ca.issue_cert("localhost")
        leaf.cert_chain_pems[0].write_to_path(str(path / f"{name}.crt"))
        leaf.private_key_pem.write_to_path(str(path / f"{name}.key"))
    return path


def settings(folder: Path, **values: object) -> EdgeSettings:
    own = {"tls_cert": folder / "server.crt", "tls_key": folder / "server.key", **values}
    return EdgeSettings.model_validate(own)


def client_context(folder: Path, certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    if certificate:
        context.load_cert_chain(folder / "client.crt", folder / "client.key")
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Shake hands in memory until both sides are done; raises what either side raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = list(ends)
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    return ends[0]


def test_a_client_that_trusts_the_authority_comes_in_with_tls_1_2_or_newer(folder: Path) -> None:
    context = server_context(settings(folder))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert shake_hands(context, client_context(folder)).version() == "TLSv1.3"


def test_a_client_of_tls_1_1_is_refused(folder: Path) -> None:
    client = client_context(folder)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        shake_hands(server_context(settings(folder)), client)


def test_mutual_tls_asks_for_a_certificate_of_the_authority(folder: Path) -> None:
    wanted = settings(folder, tls_client_ca=folder / "ca.crt", tls_verify_client=True)
    context = server_context(wanted)
    shake_hands(context, client_context(folder, certificate=True))
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(context, client_context(folder))


def test_authorities_alone_ask_nobody_for_a_certificate(folder: Path) -> None:
    context = server_context(settings(folder, tls_client_ca=folder / "ca.crt"))
    shake_hands(context, client_context(folder))


def test_a_wrong_certificate_or_key_is_one_line_that_names_the_file(
    folder: Path, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("hello")
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    for values, problem in (
        ({"tls_cert": nonsense}, f"tls_cert: expected a PEM certificate, got {nonsense}"),
        ({"tls_key": nonsense}, f"tls_key: expected a PEM private key, got {nonsense}"),
        ({"tls_key": folder / "client.key"}, "client.key is not the private key of the certif"),
        ({"tls_cert": damaged}, r"are damaged \("),
        ({"tls_client_ca": nonsense}, "tls_client_ca: expected PEM certificates, got"),
    ):
        with pytest.raises(ConfigError, match=problem) as caught:
            server_context(settings(folder, **values))
        assert "\n" not in str(caught.value)


def test_a_key_with_a_passphrase_is_refused_instead_of_asking_on_the_terminal(
    folder: Path, tmp_path: Path
) -> None:
    key = load_pem_private_key((folder / "server.key").read_bytes(), None)
    locked = tmp_path / "locked.key"
    encryption = BestAvailableEncryption(b"secret")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    with pytest.raises(ConfigError, match="has a passphrase; remove it with: openssl pkey"):
        server_context(settings(folder, tls_key=locked))


def test_a_file_that_went_away_after_the_start_is_named(folder: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone.crt"
    gone.touch()
    wanted = settings(folder, tls_cert=gone)
    gone.unlink()
    with pytest.raises(ConfigError, match=r"tls_cert: expected a readable file .*gone.crt"):
        server_context(wanted)


def towards_router(folder: Path, **values: object) -> EdgeSettings:
    own = {"bridge_tls_ca": folder / "ca.crt", **values}
    return EdgeSettings.model_validate(own)


def test_a_router_is_trusted_by_its_authority_and_shown_a_certificate(folder: Path) -> None:
    pair = {"bridge_tls_cert": folder / "client.crt", "bridge_tls_key": folder / "client.key"}
    router = server_context(
        settings(folder, tls_client_ca=folder / "ca.crt", tls_verify_client=True)
    )
    router.set_alpn_protocols(["h2"])
    context = bridge_context(towards_router(folder, **pair))
    assert context is not None
    assert shake_hands(router, context).selected_alpn_protocol() == "h2"
    bare = bridge_context(towards_router(folder))
    assert bare is not None
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(router, bare)


def test_without_an_authority_routers_are_reached_in_the_clear() -> None:
    assert bridge_context(EdgeSettings()) is None


def test_a_wrong_file_towards_the_router_is_named_by_its_setting(
    folder: Path, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("hello")
    pair = {"bridge_tls_cert": folder / "server.crt", "bridge_tls_key": folder / "client.key"}
    for values, problem in (
        ({"bridge_tls_ca": nonsense}, "bridge_tls_ca: expected PEM certificates, got"),
        (pair | {"bridge_tls_cert": nonsense}, "bridge_tls_cert: expected a PEM certificate"),
        (pair, "bridge_tls_key: .*client.key is not the private key"),
    ):
        with pytest.raises(ConfigError, match=problem) as caught:
            bridge_context(towards_router(folder, **values))
        assert "\n" not in str(caught.value)
