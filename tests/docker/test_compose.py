"""docker-compose.yml as a stranger starts it: healthy, talking, closed to others."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests import needs
from tests.docker import talk
from tests.docker.stack import Stack, compose_program

pytestmark = pytest.mark.timeout(600)


def grpcurl(
    stack: Stack, method: str, token: str | None = None
) -> subprocess.CompletedProcess[str]:
    program = needs.program("grpcurl", "make setup")
    shown = ("-expand-headers", "-H", "authorization: Bearer ${TOKEN}") if token else ()
    command = [program, "-plaintext", *shown, f"127.0.0.1:{stack.router_port}", method]
    environment = os.environ | {"TOKEN": token or ""}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, env=environment
    )


async def test_a_message_goes_from_one_client_to_another(
    stack: Stack, alice: str, bob: str
) -> None:
    (url,) = stack.urls()
    async with talk.client(url, alice, "qq") as sender, talk.client(url, bob, "qq") as receiver:
        await talk.pass_on(sender, receiver, "bob")
        await talk.pass_on(receiver, sender, "alice")


async def test_a_wrong_key_is_refused(stack: Stack, alice: str) -> None:
    (url,) = stack.urls()
    for wrong in ("nobody", "alice", alice[:-1]):
        with pytest.raises(InvalidStatus) as refused:
            await talk.client(url, wrong, "qq").__aenter__()
        assert refused.value.response.status_code == 401


async def test_a_rotated_key_is_refused_and_the_new_one_is_taken(stack: Stack) -> None:
    (url,) = stack.urls()
    old = stack.maim("keys", "add", "carol", "--id", "carol-1")
    new = stack.maim("keys", "rotate", "carol-1")
    with pytest.raises(InvalidStatus):
        await talk.client(url, old, "qq").__aenter__()
    async with talk.client(url, new, "qq") as socket:
        await socket.ping()


async def test_an_operator_with_a_token_lists_the_connections(stack: Stack, alice: str) -> None:
    token = stack.maim("keys", "add", "operator", "--token", "--scope", "read")
    (url,) = stack.urls()
    async with talk.client(url, alice, "telegram"):
        answer = grpcurl(stack, "maim.v1.Router/ListConnections", token)
    assert answer.returncode == 0, answer.stderr
    found = [(one["user_id"], one["platform"]) for one in json.loads(answer.stdout)["connections"]]
    assert ("alice", "telegram") in found


def test_an_operator_without_a_token_sees_nothing(stack: Stack) -> None:
    answer = grpcurl(stack, "maim.v1.Router/ListConnections")
    assert answer.returncode != 0
    assert "Unauthenticated" in answer.stderr or "expected a token" in answer.stderr


def test_the_control_port_is_published_on_loopback_alone(stack: Stack) -> None:
    (router,) = stack.inspect("router")
    bindings = router["NetworkSettings"]["Ports"]["50051/tcp"]
    assert {one["HostIp"] for one in bindings} == {"127.0.0.1"}


def test_without_any_setting_the_ports_are_those_of_the_documents(
    docker: None, repository: Path
) -> None:
    environment = {n: v for n, v in os.environ.items() if n not in ("EDGE_PORT", "ROUTER_PORT")}
    command = (*compose_program(), "config")
    config = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=repository, env=environment
    ).stdout
    # Compose 1 writes `18040` or `127.0.0.1:50051:50051/tcp`, compose 2 `"18040"` in a long form.
    assert re.search(r'published: "?18040\b', config)
    assert re.search(r'published: "?50051\b|127\.0\.0\.1:50051:50051', config)
