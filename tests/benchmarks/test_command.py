"""What `maim bench` says when there is nothing to measure."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal
from tests.system.pair import free_port


def test_the_command_refuses_what_is_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Terminal(capsys)("bench", "http://127.0.0.1")
    assert ended.code == 2
    assert ended.err == "maim: URL: expected ws://… or wss://…, got 'http://127.0.0.1'\n"


def test_the_command_says_in_a_line_that_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    ended = Terminal(capsys)("bench", f"ws://127.0.0.1:{free_port()}/ws", "--work", "connect")
    assert ended.code == 1
    assert ended.err.startswith("maim: 50 of 50 connections were not made")
    assert ended.err.count("\n") == 1
