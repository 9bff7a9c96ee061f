"""`maim connections --watch`: a process that goes on when its router comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from maim_message.cli.watching import line
from maim_router.node import Node
from maim_router.service.process import RouterProcess, build_node
from maim_router.settings import RouterSettings
from tests.router.answering_edge import AnsweringEdge

MAIM = Path(sys.executable).with_name("maim")


@contextlib.asynccontextmanager
async def running(port: int, **settings: Any) -> AsyncIterator[tuple[Node, AnsweringEdge]]:
    """A router on a port, with an edge."""
    wanted = RouterSettings(port=port, admin_port=-1, **settings)
    node = build_node(None, wanted)
    router = RouterProcess(node, wanted)
    await router.start()
    try:
        async with AnsweringEdge().attached(node) as edge:
            yield node, edge
    finally:
        await router.stop()


class Watcher:
    """The command, read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self, *, stderr: bool = False) -> str:
        source = self._process.stderr if stderr else self._process.stdout
        assert source is not None
        async with asyncio.timeout(20):
            return (await source.readline()).decode()

    async def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.line())
        return found


@contextlib.asynccontextmanager
async def watcher(port: int, *flags: str) -> AsyncIterator[Watcher]:
    """Start the command; it is killed at the end."""
    where = ("connections", "--watch", "--router", f"127.0.0.1:{port}")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(MAIM, *where, *flags), stdout=pipe, stderr=pipe
    )
    try:
        yield Watcher(process)
    finally:
        process.kill()
        await process.communicate()


async def until_watched(edge: AnsweringEdge, watching: Watcher) -> dict[str, Any]:
    """Let people come until the watcher, which starts with the next event, tells of one."""
    reading = asyncio.ensure_future(watching.event())
    while not reading.done():
        await edge.admitted("early")
        await asyncio.wait([reading], timeout=0.1)
    return reading.result()


async def test_a_watcher_goes_on_over_a_restart_and_says_that_numbers_began_anew(
    unused_tcp_port: int,
) -> None:
    async with contextlib.AsyncExitStack() as first:
        _, edge = await first.enter_async_context(running(unused_tcp_port))
        async with watcher(unused_tcp_port, "--json") as watching:
            seen = await until_watched(edge, watching)
            await edge.admitted("anna")
            while seen["connection"]["user_id"] != "anna":
                following = await watching.event()
                assert following["seq"] == seen["seq"] + 1
                seen = following
            await first.aclose()
            while (ended := await watching.event())["connection"]["user_id"] != "anna":
                assert ended["kind"] == "DISCONNECTED"
            async with running(unused_tcp_port) as (node, edge):
                await edge.admitted("bob")
                gap, came = await watching.event(), await watching.event()
            assert (gap["kind"], gap["seq"]) == ("GAP", 1)
            assert (came["seq"], came["connection"]["user_id"]) == (1, "bob")
            assert gap["log_id"] == came["log_id"] == node.lifecycle.log.id != seen["log_id"]


async def test_only_what_was_asked_for_is_shown(unused_tcp_port: int) -> None:
    async with (
        running(unused_tcp_port, session_mode="standby") as (_, edge),
        watcher(unused_tcp_port, "--user", "early") as watching,
    ):
        reading = asyncio.ensure_future(watching.line())
        while not reading.done():
            await edge.admitted("somebody else")
            await edge.admitted("early")
            await asyncio.wait([reading], timeout=0.1)
        assert "  CONNECTED  early@test  " in reading.result()


def test_a_line_says_all_that_is_known() -> None:
    connection = {
        "user_id": "anna",
        "platform": "qq",
        "connection_uuid": "u-1",
        "edge_id": "e",
        "standby": True,
    }
    event = {
        "time": 0.0,
        "kind": "REPLACED",
        "connection": connection,
        "code": 4409,
        "reason": "newer",
        "replaced_by": "u-2",
        "restored": True,
    }
    assert line(event) == (
        "1970-01-01 00:00:00Z  REPLACED  anna@qq  u-1  edge e  "
        "standby  restored  by u-2  4409 newer"
    )


@pytest.mark.parametrize("flag", ["--json", "--user=anna"])
async def test_a_watcher_without_a_router_ends_at_once(unused_tcp_port: int, flag: str) -> None:
    async with watcher(unused_tcp_port, flag) as watching:
        text = await watching.line(stderr=True)
        assert text.startswith(f"maim: no router answers at 127.0.0.1:{unused_tcp_port};")
