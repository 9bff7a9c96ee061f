"""The Python examples as a reader runs them: each in a process of its own."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from maim_message.cli.certs import NAMES
from maim_message.cli.certs import write as write_certificates
from tests.clients.friend import Friend
from tests.clients.pair import ROOT, running
from tests.clients.program import Program

PYTHON = ROOT / "examples" / "python"


def example(name: str, *arguments: str | Path) -> Program:
    return Program(sys.executable, "-W", "error", PYTHON / name, *arguments)


@asynccontextmanager
async def serving(name: str, *arguments: str | Path) -> AsyncIterator[tuple[Program, str]]:
    """Run an example that serves; yields it and its address, and ends it with Ctrl-C."""
    async with example(name, *arguments) as server:
        ready = await server.line("ready on")
        yield server, ready.removeprefix("ready on ")
        server.signal(signal.SIGINT)
        assert await server.ended() == 0, server
        assert server.out[-1] == "stopped"


async def test_the_quickstart_client_gets_an_answer_from_the_quickstart_server() -> None:
    async with (
        serving("quickstart_server.py", "0") as (server, url),
        example("quickstart_client.py", url) as client,
    ):
        assert await client.ended() == 0, client
        assert client.out == ["You said: Hello"]
        assert "alice: Hello" in server.out


async def test_the_quickstart_client_says_why_it_cannot_connect() -> None:
    async with example("quickstart_client.py", "ws://localhost:1/ws") as client:
        assert await client.ended() == 1
    assert client.err[-1].startswith("not connected: ")


async def test_a_bot_on_two_platforms_hears_on_each_what_was_meant_for_it() -> None:
    async with running() as pair, example("two_platforms.py", pair.url) as bot:
        assert await bot.ended() == 0, bot
    assert bot.out == [
        "alice to the bot on qq: hello qq",
        "alice to the bot on wechat: hello wechat",
    ]


async def test_forwarding_brings_a_message_from_one_platform_to_a_user_on_another() -> None:
    async with (
        serving("forwarding.py", "0", "qq", "archive", "log") as (server, url),
        Friend(url, "archive", "log") as archive,
        Friend(url, "alice", "qq") as alice,
    ):
        await alice.send("whoever", "keep this")
        came = await archive.receive()
        assert came["payload"]["message_segment"]["data"] == "keep this"
        assert came["payload"]["message_dim"] == {"api_key": "archive", "platform": "log"}
        assert came["payload"]["message_info"]["message_id"].startswith("forward_")
        await server.line("forwarded to 1 connections")


async def test_custom_types_go_both_ways() -> None:
    async with example("custom_types.py", "0") as program:
        assert await program.ended() == 0, program
    assert program.out == ["the sum is 42"]


async def test_tls_server_and_client_show_each_other_certificates(tmp_path: Path) -> None:
    write_certificates(tmp_path, NAMES)
    async with serving("tls_server.py", tmp_path, "0") as (server, url):
        port = url.split(":")[2].removesuffix("/ws")
        async with example("tls_client.py", tmp_path, port) as client:
            assert await client.ended() == 0, client
        assert client.out == ["acknowledged: True"]
        assert url.startswith("wss://")
        await server.line("alice: nobody else reads this")


async def test_a_client_without_a_certificate_stays_outside(tmp_path: Path) -> None:
    write_certificates(tmp_path / "ours", NAMES)
    write_certificates(tmp_path / "theirs", NAMES)
    (tmp_path / "theirs/ca.crt").write_bytes((tmp_path / "ours/ca.crt").read_bytes())
    async with serving("tls_server.py", tmp_path / "ours", "0") as (_, url):
        port = url.split(":")[2].removesuffix("/ws")
        async with example("tls_client.py", tmp_path / "theirs", port) as client:
            assert await client.ended() == 1


async def test_monitoring_tells_who_comes_and_goes() -> None:
    async with serving("monitoring.py", "0", "0.05") as (server, url):
        async with Friend(url, "alice", "qq"):
            await server.line("+ alice on qq")
            await server.line('"current_users": 1')
        await server.line("- alice on qq")
        figures = json.loads(next(line for line in server.out if line.startswith("{")))
        assert set(figures) == {
            "current_users",
            "current_connections",
            "messages_processed",
            "failed_auths",
        }


@pytest.mark.parametrize("name", sorted(path.name for path in PYTHON.glob("*.py")))
def test_every_example_is_listed_with_how_it_is_started(name: str) -> None:
    assert f"python/{name}" in (ROOT / "examples" / "README.md").read_text()
