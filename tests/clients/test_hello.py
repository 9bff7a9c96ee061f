"""The programs of a first message (README.md, docs/clients.md): bob answers alice and carol."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import needs
from tests.clients import peers
from tests.clients.pair import Pair, running
from tests.clients.program import Program


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """A pair without keys, as `make run` starts it."""
    async with running() as pair:
        yield pair


@pytest.fixture
async def bob(pair: Pair) -> AsyncIterator[Program]:
    async with Program(sys.executable, peers.EXAMPLES / "python" / "hello.py", pair.url) as bob:
        await bob.line("bob is there")
        yield bob


async def test_bob_answers_alice_in_javascript(pair: Pair, bob: Program, tmp_path: Path) -> None:
    runtime = peers.node(tmp_path)[0]
    async with Program(runtime, peers.EXAMPLES / "node" / "hello.mjs", pair.url) as alice:
        assert await alice.ended() == 0, alice
    assert set(alice.out) == {"acknowledged", "bob: you said: hello from JavaScript"}
    await bob.line("alice: hello from JavaScript")


@pytest.mark.timeout(600)
async def test_bob_answers_carol_in_go(pair: Pair, bob: Program) -> None:
    compiler = needs.program("go", "apt-get install golang-go")
    if not (peers.GO_LIBRARIES / "src/github.com/gorilla/websocket").is_dir():
        needs.missing("gorilla/websocket; apt-get install golang-github-gorilla-websocket-dev")
    environment = {"GO111MODULE": "off", "GOPATH": str(peers.GO_LIBRARIES)}
    source = peers.EXAMPLES / "go" / "hello" / "hello.go"
    async with Program(compiler, "run", source, pair.url, environment=environment) as carol:
        assert await carol.ended() == 0, carol
    assert "you said: hello from Go" in carol.out[-1]
    await bob.line("carol: hello from Go")
