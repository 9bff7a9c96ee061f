"""A container is killed or stopped, and comes back."""

from __future__ import annotations

import pytest
from websockets.exceptions import ConnectionClosed

from tests.docker import talk
from tests.docker.stack import Stack

pytestmark = pytest.mark.timeout(600)


async def test_clients_stay_connected_while_the_router_is_killed_and_comes_back(
    stack: Stack, alice: str, bob: str
) -> None:
    (url,) = stack.urls()
    async with talk.client(url, alice, "qq") as sender, talk.client(url, bob, "qq") as receiver:
        await talk.pass_on(sender, receiver, "bob")
        stack.docker("kill", *stack.containers("router"))
        await (await sender.ping())
        msg_id = await talk.say(sender, "said while the router was away", "bob", "qq")
        stack.docker("start", *stack.containers("router"))
        assert await talk.hear(receiver) == "said while the router was away"
        await talk.acknowledged(sender, msg_id)
        await talk.pass_on(receiver, sender, "alice")


async def test_clients_reconnect_to_an_edge_that_was_killed(
    stack: Stack, alice: str, bob: str
) -> None:
    before = stack.urls()
    async with talk.client(before[0], alice, "qq") as socket:
        stack.docker("kill", *stack.containers("edge"))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    stack.docker("start", *stack.containers("edge"))
    stack.wait_healthy("edge")
    assert stack.urls() == before
    (url,) = before
    async with talk.client(url, alice, "qq") as sender, talk.client(url, bob, "qq") as receiver:
        await talk.pass_on(sender, receiver, "bob")


@pytest.mark.parametrize("service", ["router", "edge"])
def test_a_service_that_is_told_to_stop_ends_cleanly(stack: Stack, service: str) -> None:
    stack.compose("stop", "--timeout", "5", service)  # after that it would be killed: exit 137
    assert [one["State"]["ExitCode"] for one in stack.inspect(service)] == [0]
    stack.compose("start", service)
    stack.wait_healthy(service)


def test_an_edge_without_a_router_is_not_healthy(stack: Stack) -> None:
    stack.docker("kill", *stack.containers("router"))
    stack.wait_healthy("edge", "unhealthy")
    stack.docker("start", *stack.containers("router"))
    stack.wait_healthy("edge")


@pytest.mark.parametrize("service", ["router", "edge"])
def test_docker_starts_a_service_again_that_ended_by_itself(stack: Stack, service: str) -> None:
    (found,) = stack.inspect(service)
    assert found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
