"""The stack that a module's tests share, and a docker that runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.docker.stack import Stack, compose_program


@pytest.fixture(scope="session")
def docker() -> None:
    """Make sure that a docker daemon and docker-compose answer."""
    needs.program("docker", "apt-get install docker.io")
    for question in (("docker", "info"), (*compose_program(), "version")):
        if subprocess.run(question, check=False, capture_output=True).returncode != 0:
            remedy = "start the docker daemon (or set DOCKER_HOST), apt-get install docker-compose"
            needs.missing(f"`{' '.join(question)}` fails; {remedy}")


@pytest.fixture(scope="module")
def stack(docker: None, repository: Path) -> Iterator[Stack]:
    """One router and one edge, healthy, and gone with the module."""
    stack = Stack(repository)
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes")


@pytest.fixture(scope="module")
def alice(stack: Stack) -> str:
    """The API key of the user alice."""
    return stack.maim("keys", "add", "alice")


@pytest.fixture(scope="module")
def bob(stack: Stack) -> str:
    """The API key of the user bob."""
    return stack.maim("keys", "add", "bob")
