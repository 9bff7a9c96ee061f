"""`maim send`, `connections` and `stats` against a running router."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from maim_message.client import ClientConfig, WebSocketClient
from maim_message.message import APIMessageBase
from tests.cli.conftest import Pair
from tests.cli.terminal import Terminal


async def test_a_text_is_sent_to_a_connected_user(maim: Terminal, pair: Pair) -> None:
    got: asyncio.Queue[APIMessageBase] = asyncio.Queue()

    def take(message: APIMessageBase, metadata: dict[str, Any]) -> None:
        got.put_nowait(message)

    config = ClientConfig(pair.url, "alice", "qq", on_message=take)
    async with WebSocketClient(config) as client:
        assert await client.connect()
        where = ("--user", "alice", "--platform", "qq", "--router", pair.router)
        ended = await maim.aside("send", "你好", *where, "--wait-for", "acked", "--json")
        message = await got.get()
        assert message.message_segment.data == "你好"
        assert (ended.code, ended.json["outcome"]) == (0, "ACKED")
        assert (await maim.aside("send", "again", *where)).out.startswith("WRITTEN alice ")

        rows = (await maim.aside("connections", "--router", pair.router, "--json")).json
        assert [(row["user_id"], row["platform"]) for row in rows] == [("alice", "qq")]
        shown = (await maim.aside("connections", "--user", "alice", "--router", pair.router)).out
        assert rows[0]["connection_uuid"] in shown

        stats = (await maim.aside("stats", "--router", pair.router, "--json")).json
        assert stats["current_users"] == 1
        shown = (await maim.aside("stats", "--router", pair.router)).out
        assert "current connections" in shown


async def test_an_edge_is_drained(maim: Terminal, pair: Pair) -> None:
    stats = (await maim.aside("stats", "--router", pair.router, "--json")).json
    [edge] = stats["edges"]
    assert edge["draining"] is False
    ended = await maim.aside("drain", edge["edge_id"], "--router", pair.router)
    assert (ended.code, ended.out) == (0, f"{edge['edge_id']} drains, 0 connections\n")
    ended = await maim.aside("drain", edge["edge_id"], "--router", pair.router, "--json")
    assert (ended.code, ended.json) == (0, {"connections": 0})
    stats = (await maim.aside("stats", "--router", pair.router, "--json")).json
    assert stats["edges"][0]["draining"] is True


async def test_an_edge_that_is_not_there_is_one_line_with_those_that_are(
    maim: Terminal, pair: Pair
) -> None:
    ended = await maim.aside("drain", "nobody", "--router", pair.router)
    assert (ended.code, ended.out) == (2, "")
    assert "attached: " in ended.err
    assert ended.err.count("\n") == 1


async def test_a_text_for_somebody_who_is_away_waits(maim: Terminal, pair: Pair) -> None:
    where = ("--user", "nobody", "--platform", "qq", "--router", pair.router)
    ended = await maim.aside("send", "hello", *where)
    assert ended.code == 0
    assert ended.out.startswith("QUEUED")


@pytest.mark.parametrize("argv", [["stats"], ["connections"], ["stats", "--watch"], ["drain", "e"]])
def test_a_router_that_is_not_there_is_one_line_and_exit_2(
    maim: Terminal, argv: list[str], unused_tcp_port: int
) -> None:
    ended = maim(*argv, "--router", f"127.0.0.1:{unused_tcp_port}")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"maim: no router answers at 127.0.0.1:{unused_tcp_port}; start")
    assert ended.err.count("\n") == 1


def test_the_router_is_the_settings_one_unless_it_is_named(
    maim: Terminal, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("MAIM_ROUTER_HOST", "::")
    monkeypatch.setenv("MAIM_ROUTER_PORT", str(unused_tcp_port))
    assert f"no router answers at [::1]:{unused_tcp_port};" in maim("stats").err
