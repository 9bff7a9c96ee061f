"""What a user gets from the package index: a light client, and a server beside other packages."""

from __future__ import annotations

import contextlib
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.packages.wheels import Environment, build_wheel
from tests.system.pair import free_port

pytestmark = pytest.mark.timeout(600)
TRIES = 150

TALK = """
import asyncio, sys
from maim_message.client import APIMessageBase, MessageDim, Seg, WebSocketClient
from maim_message.client import create_client_config

async def main(url):
    got = asyncio.get_running_loop().create_future()
    config = create_client_config(url, "alice", "qq")
    config.on_message = lambda message, metadata: got.set_result(message.message_segment.data)
    async with WebSocketClient(config) as client:
        message = APIMessageBase(message_dim=MessageDim("alice", "qq"))
        message.message_segment = Seg("text", "to myself")
        assert await client.send_message(message, wait_ack=True), client.get_last_error()
        print(await asyncio.wait_for(got, 10))

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(repository, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "venv")


def test_a_bot_installs_three_packages(wheel: Path, environment: Environment) -> None:
    environment.install(str(wheel))
    assert environment.packages() == {"maim-message", "msgspec", "websockets"}
    environment.run("-c", "import maim_message.client, maim_message.message")
    for module in ("maim_edge", "maim_router", "maim_message.server"):
        ended = environment.ended("-c", f"import {module}")
        assert ended.returncode == 1
        said = ended.stderr.splitlines()[-1]
        assert said.startswith("ImportError: maim_")
        assert said.endswith("needs the extra \"server\": pip install 'maim-message[server]'")
    for command in ("maim-edge", "maim-router"):
        asked = [environment.bin / command, "--version"]
        ended = subprocess.run(asked, check=False, capture_output=True, text=True)
        assert ended.returncode == 2
        assert ended.stderr.startswith(f'{command}: the command needs the extra "server": pip')


@pytest.mark.parametrize(
    ("extra", "beside"), [("server", []), ("server", ["protobuf==6.33.*"]), ("cli", [])]
)
def test_a_server_is_installed_and_carries_a_message(
    wheel: Path, environment: Environment, extra: str, beside: list[str]
) -> None:
    if beside:
        environment.install(*beside)
    environment.install(*beside, f"{wheel}[{extra}]")
    with serving(environment) as url:
        assert environment.run("-c", TALK, url) == "to myself\n"


@contextlib.contextmanager
def serving(environment: Environment) -> Iterator[str]:
    """Run `maim serve`; gives the URL for clients once /readyz says that it is ready."""
    port, admin, router, router_admin = (free_port() for _ in range(4))
    command = [str(environment.bin / "maim"), "serve", "--port", f"{port}"]
    command += ["--admin-port", f"{admin}", "--router-port", f"{router}"]
    command += ["--router-admin-port", f"{router_admin}"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONWARNINGS": "error"}) as served:
        try:
            wait_until(served, lambda: answers(f"http://127.0.0.1:{admin}/readyz"))
            assert answers(f"http://127.0.0.1:{admin}/healthz")
            yield f"ws://127.0.0.1:{port}/ws"
        finally:
            served.terminate()
            assert served.wait(30) == 0


def wait_until(served: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    for _ in range(TRIES):
        assert served.poll() is None, f"maim serve ended with {served.returncode}"
        if condition():
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            served.wait(0.2)
    pytest.fail("maim serve is not ready")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - it is http
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
