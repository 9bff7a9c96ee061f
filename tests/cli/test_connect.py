"""`maim connect` with piped input, against a running pair."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from maim_message.cli.connect import terminal
from maim_message.cli.connect.conversation import Screen
from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase
from tests.cli.conftest import Pair
from tests.cli.terminal import Terminal


async def test_every_piped_line_is_sent_and_acknowledged(
    maim: Terminal, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    got: list[Any] = []

    def take(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        got.append((message.message_segment.data, metadata["sender_user"]))

    config = ClientConfig(pair.url, "bob", "qq", on_message=take)
    async with WebSocketClient(config) as bob:
        assert await bob.connect()
        monkeypatch.setattr(sys, "stdin", io.StringIO("one\n\nzwei ü\n"))
        monkeypatch.setenv("MAIM_API_KEY", "alice")
        argv = ("connect", pair.url, "--platform", "qq", "--to", "bob", "--json")
        ended = await maim.aside(*argv)
    assert (ended.code, ended.err) == (0, "")
    events = [json.loads(line) for line in ended.out.splitlines()]
    assert [item["acknowledged"] for item in events if item["event"] == "sent"] == [True, True]
    assert got == [("one", "alice"), ("zwei ü", "alice")]


async def test_what_comes_is_printed_with_its_verified_sender(
    maim: Terminal, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("to myself\n"))
    argv = ("connect", pair.url, "--api-key", "alice", "--platform", "qq", "--to", "alice")
    ended = await maim.aside(*argv)
    assert (ended.code, ended.out) == (0, "alice@qq: to myself\n")


async def test_a_line_that_nobody_takes_is_exit_1(
    maim: Terminal, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The mailbox of this pair has room for one.
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\nhello\n"))
    ended = await maim.aside("connect", pair.url, "--api-key", "alice", "--to", "nobody")
    assert ended.code == 1
    assert "[not acknowledged] " in ended.err
    assert "mailbox_full" in ended.err


def test_an_edge_that_is_not_there_is_one_line_and_exit_2(
    maim: Terminal, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    url = f"ws://127.0.0.1:{unused_tcp_port}/ws"
    ended = maim("connect", url, "--api-key", "very-secret")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"maim: cannot connect to {url}: ")
    assert "very-secret" not in ended.err
    assert ended.err.count("\n") == 1


async def test_input_that_goes_on_is_not_read_ahead_without_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = 0
    full = asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            if read > terminal.MAX_WAITING_LINES:
                loop.call_soon_threadsafe(full.set)
            yield "line\n"

    monkeypatch.setattr(sys, "stdin", endless())
    source = terminal.lines(interactive=False)
    assert await anext(source) == "line"
    async with asyncio.timeout(5):
        await full.wait()
    assert read <= terminal.MAX_WAITING_LINES + 2


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    message = APIMessageBase.from_dict(
        {
            "message_info": {"platform": "qq", "message_id": "1", "time": 1.0},
            "message_segment": {"type": "text", "data": "\x1b]0;owned\x07[red]hi[/red]"},
            "message_dim": {"api_key": "k", "platform": "qq"},
        }
    )
    Screen(json=False, interactive=False).message(message, {"sender_user": "eve\x1b[2J"})
    assert capsys.readouterr().out == "eve�[2J@qq: �]0;owned�[red]hi[/red]\n"
