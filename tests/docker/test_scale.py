"""Two edges beside one router, and what remains when everything is taken down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker import talk
from tests.docker.stack import Stack

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def stack(docker: None, repository: Path) -> Iterator[Stack]:
    stack = Stack(repository, edges=2)
    try:
        stack.up()
        yield stack
    finally:
        stack.down("--volumes")


async def test_two_edges_relay_to_each_other_and_keys_outlive_them(stack: Stack) -> None:
    alice, bob = (stack.maim("keys", "add", user) for user in ("alice", "bob"))
    await relay_between_the_edges(stack, alice, bob)

    stack.down()
    assert stack.left("container") == stack.left("network") == []
    assert len(stack.left("volume")) == 3
    stack.up()
    await relay_between_the_edges(stack, alice, bob)

    stack.down("--volumes")
    assert stack.left("volume") == []


async def relay_between_the_edges(stack: Stack, alice: str, bob: str) -> None:
    one, other = stack.urls()
    assert one != other
    async with talk.client(one, alice, "qq") as sender, talk.client(other, bob, "qq") as receiver:
        await talk.pass_on(sender, receiver, "bob")
        await talk.pass_on(receiver, sender, "alice")
