"""A router as a process: from `python -m maim_router` to its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from maim_router.auth.credentials.tokens import Tokens
from maim_router.control_client.client import ControlClient, ControlError
from maim_runtime.http.server import bind, bound_port

ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing is served there: the start has to fail
FREE = ("--port", "0", "--admin-port", "0", "--log-format", "json")


@dataclass
class Router:
    """A router that is ready; `lines` are its log."""

    process: asyncio.subprocess.Process
    address: str
    admin: str
    lines: list[str]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Signal it; returns the exit code and the seconds that the end took."""
        began = time.monotonic()
        self.process.send_signal(number)
        assert self.process.stderr is not None
        self.lines += (await self.process.stderr.read()).decode().splitlines()
        return await self.process.wait(), time.monotonic() - began


async def spawn(*flags: str, folder: Path) -> asyncio.subprocess.Process:
    paths = [path for path in sys.path if path]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "maim_router",
        *flags,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(*flags: str, folder: Path) -> AsyncIterator[Router]:
    process = await spawn(*FREE, *flags, folder=folder)
    assert process.stderr is not None
    lines: list[str] = []
    try:
        while not (lines and "router ready" in lines[-1]):
            line = (await process.stderr.readline()).decode()
            assert line, lines
            lines.append(line)
        words = json.loads(lines[-1])["event"].replace(",", "").split()
        yield Router(process, words[words.index("gRPC") + 2], words[-1], lines)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def failing(*flags: str, folder: Path) -> str:
    """Run a router that cannot start; returns the one line that it says."""
    process = await spawn(*FREE, *flags, folder=folder)
    output, errors = await process.communicate()
    assert process.returncode == 2, errors.decode()
    assert output == b""
    lines = [line for line in errors.decode().splitlines() if not line.startswith("{")]
    assert len(lines) == 1, errors.decode()
    assert lines[0].startswith("maim: ")
    return lines[0].removeprefix("maim: ")


def ask(admin: str, path: str) -> tuple[int, object]:
    try:
        with urllib.request.urlopen(f"http://{admin}{path}", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[trustme.CA, list[str]]:
    """An authority, and the flags of a router with a certificate of it."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for blob in issued.cert_chain_pems:
        blob.write_to_path(tmp_path / "cert.pem", append=True)
    files = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    return authority, files


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_router_serves_until_it_is_told_to_end(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with running(folder=tmp_path) as router:
        assert await asyncio.to_thread(ask, router.admin, "/healthz") == (200, {"status": "ok"})
        assert await asyncio.to_thread(ask, router.admin, "/readyz") == (200, {"status": "ready"})
        async with ControlClient(router.address) as client:
            assert (await client.get_stats())["current_connections"] == 0
        code, seconds = await router.end(number)
    assert (code, seconds < 5) == (0, True)
    assert [line for line in router.lines if "Traceback" in line or not line.startswith("{")] == []


async def test_a_port_in_use_is_one_line_and_exit_2(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(bound_port(taken))
        text = f"cannot listen on 127.0.0.1:{port}: address already in use; stop the process"
        assert text in await failing("--port", port, folder=tmp_path)
        assert text in await failing("--admin-port", port, folder=tmp_path)


async def test_a_second_router_never_takes_a_unix_socket_over(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/router.sock"
    async with running("--host", address, folder=tmp_path) as router:
        assert router.address == address
        text = await failing("--host", address, folder=tmp_path)
        assert "another process serves it" in text
        async with ControlClient(address) as client:
            assert await client.list_edges() == []
        router.process.kill()
        await router.process.wait()
    async with running("--host", address, folder=tmp_path) as again:
        assert (await again.end())[0] == 0


async def test_an_address_that_others_reach_needs_keys_and_tokens(tmp_path: Path) -> None:
    text = await failing("--host", ANYWHERE, folder=tmp_path)
    assert text.startswith("nothing says who may come in: set on_auth or")
    (tmp_path / "bot.py").write_text("class config: on_auth = staticmethod(lambda m: True)\n")
    text = await failing("--host", ANYWHERE, "--app", "bot:config", folder=tmp_path)
    assert text.startswith("cannot listen on 0.0.0.0:0 without tokens: give a tokens file")


async def test_tokens_guard_the_port_of_the_process(tmp_path: Path) -> None:
    token = Tokens(tmp_path / "tokens.toml", create=True).add("cli", ["read"]).token
    flags = ("--tokens-file", str(tmp_path / "tokens.toml"))
    async with running(*flags, folder=tmp_path) as router:
        async with ControlClient(router.address, token) as client:
            assert await client.list_users() == []
        assert (await router.end())[0] == 0
    assert token not in "".join(router.lines)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (None, "app bot:config: cannot be imported: ModuleNotFoundError: No module named 'bot'"),
        ("raise RuntimeError('line one\\nline two')", "RuntimeError: line one line two"),
        ("config = 5", "expected a ServerConfig, or an object with on_auth"),
        ("other = 5", "the module bot has no config"),
        ("def config(:", "SyntaxError"),
    ],
)
async def test_an_app_that_cannot_be_used_is_one_line_and_exit_2(
    tmp_path: Path, source: str | None, text: str
) -> None:
    if source is not None:
        (tmp_path / "bot.py").write_text(source)
    assert text in await failing("--app", "bot:config", folder=tmp_path)


async def test_an_app_that_does_not_let_go_is_cut_off_in_time(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(
        "import asyncio, threading\n"
        "from maim_router.service import process\n"
        "process.END_SECONDS = 0.5\n"
        "asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)\n"
        "class config: on_auth = staticmethod(lambda m: True)\n"
    )
    async with running("--app", "bot:config", folder=tmp_path) as router:
        code, seconds = await router.end()
    assert (code, seconds < 5) == (0, True)
    assert "did not end in time" in router.lines[-1]


async def test_tls_is_served_and_a_client_certificate_asked_for(
    tmp_path: Path, certificate: tuple[trustme.CA, list[str]]
) -> None:
    authority, flags = certificate
    ca = tmp_path / "ca.pem"
    async with running(*flags, folder=tmp_path) as router:
        async with ControlClient(router.address, tls_ca=ca) as client:
            assert await client.list_users() == []
        foreign = tmp_path / "foreign.pem"
        trustme.CA().cert_pem.write_to_path(foreign)
        async with ControlClient(router.address, tls_ca=foreign) as client:
            with pytest.raises(ControlError, match="its certificate was not accepted"):
                await client.list_users()
        assert (await router.end())[0] == 0
    assert [line for line in router.lines if not line.startswith("{")] == []
    issued = authority.issue_cert("client")
    issued.private_key_pem.write_to_path(tmp_path / "client.key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "client.pem")
    async with running(*flags, "--tls-client-ca", str(ca), folder=tmp_path) as router:
        pair = {"tls_cert": tmp_path / "client.pem", "tls_key": tmp_path / "client.key"}
        async with ControlClient(router.address, tls_ca=ca, **pair) as client:
            assert await client.list_users() == []
        async with ControlClient(router.address, tls_ca=ca) as client:
            with pytest.raises(ControlError, match="asks for a certificate"):
                await client.list_users()


async def test_a_certificate_that_does_not_fit_its_key_is_one_line_and_exit_2(
    tmp_path: Path, certificate: tuple[trustme.CA, list[str]]
) -> None:
    _, flags = certificate
    trustme.CA().issue_cert("x").private_key_pem.write_to_path(tmp_path / "key.pem")
    assert "cert.pem and key" in await failing(*flags, folder=tmp_path)
    (tmp_path / "cert.pem").write_text("nothing")
    assert "`maim certs DIR` makes a set that does" in await failing(*flags, folder=tmp_path)
