"""deploy/docker-compose.tls.yml: certificates of the host, mounted."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.docker import talk
from tests.docker.stack import Stack

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def stack(
    docker: None, repository: Path, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("certificates")
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(folder / "server.crt"))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)  # the user inside the container owns none of them
    override = "deploy/docker-compose.tls.yml"
    stack = Stack(repository, override=override, CERTIFICATES=str(folder))
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes")


async def test_clients_talk_over_tls(
    stack: Stack, alice: str, bob: str, authority: trustme.CA
) -> None:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    (url,) = stack.urls("wss")
    async with (
        talk.client(url, alice, "qq", trust) as sender,
        talk.client(url, bob, "qq", trust) as receiver,
    ):
        await talk.pass_on(sender, receiver, "bob")
