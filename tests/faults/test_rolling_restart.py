"""Two thousand clients while both edges are restarted, one after the other."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.client_load import ClientLoad, gathered
from tests.faults.conftest import Tell
from tests.faults.site import Process, running_site

CLIENTS = 2000
WINDOW_SECONDS = 8.0
BARS = 16
WIDTH = 40
FILES_EACH = 3

pytestmark = pytest.mark.timeout(300)


def raise_file_limit(files: int) -> None:
    """Let this process, and those that it starts, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, hard), hard))


def histogram(seconds: Sequence[float], window: float) -> tuple[list[int], str]:
    """Count what came in each part of the window, and draw it."""
    step = window / BARS
    bounds = [-float("inf"), *(step * n for n in range(1, BARS)), float("inf")]
    counts = [sum(low <= one < high for one in seconds) for low, high in pairwise(bounds)]
    most = max(counts) or 1
    rows = [
        f"{step * n:5.2f} s {count:5d} {'#' * (WIDTH * count // most)}"
        for n, count in enumerate(counts)
    ]
    return counts, "\n".join(rows)


async def restart(load: ClientLoad, edge: Process) -> tuple[list[int], str]:
    """Drain an edge and start it again; counts and draws when clients came back."""
    since, began = len(edge.service.lines), asyncio.get_running_loop().time()
    assert await edge.terminate() == 0
    await edge.start()
    await edge.service.logged("attached to", since=since)
    await load.shared.until(lambda: all(each.connected for each in load.clients))
    comings = [each.comings[-1] - began for each in load.clients]
    return histogram([one for one in comings if one >= 0], WINDOW_SECONDS)


async def test_a_rolling_restart_under_two_thousand_clients_loses_nothing(
    tmp_path: Path, tell: Tell
) -> None:
    raise_file_limit(CLIENTS * FILES_EACH)
    async with (
        running_site(tmp_path, edge={"drain-window": WINDOW_SECONDS}) as site,
        gathered(site, CLIENTS, times=3, client_proxies=False) as load,
    ):
        spread = []
        async with load.talking(16):
            for number, edge in enumerate(site.edges):
                await load.some_more()
                counts, drawn = await restart(load, edge)
                tell(f"edge {number} restarted, {sum(counts)} clients came back:\n{drawn}")
                spread.append(max(counts) / sum(counts))
            await load.some_more()
        await load.come_right()
        tell(f"rolling restart of two edges, {CLIENTS} clients: {load.oracle.summary}")
        assert max(spread) < 0.5, "they came back at once"
