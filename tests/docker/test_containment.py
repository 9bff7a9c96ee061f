"""What a container may do, and what it tells of its credentials."""

from __future__ import annotations

import re

import pytest
from websockets.exceptions import InvalidStatus

from tests.docker import talk
from tests.docker.stack import Stack

pytestmark = pytest.mark.timeout(600)

SERVICES = ("setup", "router", "edge")
CREDENTIAL = re.compile(r"maim_[A-Za-z0-9-]+_[A-Za-z0-9_-]{43}")


@pytest.mark.parametrize("service", ["router", "edge"])
def test_the_process_is_not_root(stack: Stack, service: str) -> None:
    (container,) = stack.containers(service)
    status = stack.docker("exec", container, "cat", "/proc/1/status")
    assert re.search(r"^Uid:\s+10001\s+10001\s+10001\s+10001$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES)
def test_the_file_system_is_read_only(stack: Stack, service: str) -> None:
    (found,) = stack.inspect(service)
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    writable = [one["Destination"] for one in found["Mounts"] if one["RW"]]
    expected = {"setup": ["/run/maim/edge", "/run/maim/router"], "router": ["/var/lib/maim"]}
    assert sorted(writable) == expected.get(service, [])


def test_credentials_are_readable_by_the_services_alone(stack: Stack) -> None:
    listed = stack.compose("run", "--rm", "-T", "setup", "find", ".", "-type", "f", "-ls")
    rows = [line.split() for line in listed.splitlines()]
    assert {row[-1] for row in rows} == {
        "./router/keys.toml",
        "./router/tokens.toml",
        "./edge/edge.toml",
    }
    assert {(row[2], row[4]) for row in rows} == {("-rw-------", "maim")}


def test_an_edge_sees_no_file_of_the_router(stack: Stack) -> None:
    (edge,) = stack.inspect("edge")
    assert [one["Destination"] for one in edge["Mounts"]] == ["/run/maim/edge"]


async def test_no_credential_is_in_what_docker_tells_of_the_containers(
    stack: Stack, alice: str
) -> None:
    (url,) = stack.urls()
    async with talk.client(url, alice, "qq"), talk.client(f"{url}?api_key={alice}", "", "qq"):
        pass
    with pytest.raises(InvalidStatus):
        await talk.client(f"{url}?api_key={alice}x", "", "qq").__aenter__()
    (edge,) = stack.containers("edge")
    bridge = CREDENTIAL.search(stack.docker("exec", edge, "cat", "/run/maim/edge/edge.toml"))
    assert bridge is not None
    assert CREDENTIAL.fullmatch(alice)
    told = everything_docker_tells(stack)
    for text in (bridge[0], bridge[0].rsplit("_", 1)[1], alice):
        assert text not in told
    assert CREDENTIAL.findall(told) == []


def everything_docker_tells(stack: Stack) -> str:
    told = stack.compose("config") + stack.compose("logs", "--no-color")
    for service in SERVICES:
        ids = stack.containers(service)
        told += stack.docker("inspect", *ids)
        told += stack.docker(
            "history", "--no-trunc", f"maim-{'edge' if service == 'edge' else 'router'}"
        )
        told += "" if service == "setup" else stack.docker("top", *ids)
    assert "router ready" in told
    return told
