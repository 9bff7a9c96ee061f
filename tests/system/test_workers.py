"""Several edge processes behind one port."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.pair import Pair, message, receive

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the child processes are read from /proc"
)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    pair = Pair(edge_options={"workers": 2})
    try:
        await pair.start_router()
        pair.url = await pair.edge.start(r"processes: clients on (ws://[^\s\"]+)")
        for _ in range(2):
            await attached(pair)
        yield pair
    finally:
        await pair.edge.kill()
        await pair.router.kill()


async def attached(pair: Pair) -> None:
    """Wait for one more edge process than has attached so far."""
    count = getattr(pair.router, "seen", 0) + 1
    await pair.router.logged("(?s)" + ".*".join([r"edge \S+ attached"] * count))
    pair.router.seen = count  # type: ignore[attr-defined]


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    return {int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


async def relays(pair: Pair) -> None:
    async with pair.client("alice") as alice, pair.client("bob") as bob:
        await alice.send(message(os.urandom(4).hex(), "bob", '"hi"'))
        assert (await receive(bob, "sys_std"))["meta"]["sender_user"] == "alice"


async def test_a_worker_that_dies_is_replaced(pair: Pair) -> None:
    await relays(pair)
    first, second = sorted(children(pair.edge.pid))
    os.kill(first, signal.SIGKILL)
    await pair.edge.logged("starting it again")
    await attached(pair)
    assert len(children(pair.edge.pid)) == 2
    assert second in children(pair.edge.pid)
    await relays(pair)


async def test_all_of_them_end_with_exit_0(pair: Pair) -> None:
    async with pair.client("alice"):
        code, seconds = await pair.edge.end()
    assert code == 0
    assert seconds < 5


async def test_none_outlives_the_process_that_started_it(pair: Pair) -> None:
    # Its output ends when the last process that holds the pipe has ended.
    code, _ = await pair.edge.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
