"""Large messages pass and do not hold up anybody else."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.system.pair import Pair, message, running_pair

MIB = 1024 * 1024
# Of another client, ended while a large message is on its way: it waits for none of them.
ROUND_TRIPS = 5
PROGRAM = Path(__file__).parent / "round_trips.py"


@asynccontextmanager
async def measuring(pair: Pair, user: str, figures: dict[str, list[float]]) -> AsyncIterator[None]:
    """Measure round trips of another client, in a process of its own, meanwhile.

    `user` is a new one each time: what it leaves unacknowledged would come to the next.
    """
    query = urlencode({"api_key": user, "platform": "qq"})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROGRAM), f"{pair.url}?{query}", user, "qq"),
        stdin=pipe,
        stdout=pipe,
    )
    assert process.stdout is not None
    process.stdout._limit = 64 * MIB  # type: ignore[attr-defined]
    assert await process.stdout.readline() == b"ready\n"
    try:
        yield
    finally:
        output, _ = await process.communicate(b"")
        figures.update(json.loads(output.splitlines()[-1]))


async def pass_one(pair: Pair, msg_id: str, data: str) -> dict[str, list[float]]:
    """Send one large message from alice to bob; returns what others measured meanwhile."""
    figures: dict[str, list[float]] = {}
    async with (
        pair.client("alice", compression=None) as alice,
        pair.client(f"bob-{msg_id}", compression=None) as bob,
    ):
        frame = message(msg_id, f"bob-{msg_id}", data)
        async with measuring(pair, f"ticker-{msg_id}", figures):
            await alice.send(frame)
            async with asyncio.timeout(120):
                got = await bob.recv()
                acked = json.loads(await alice.recv())
    assert isinstance(got, str)
    assert got.endswith(frame[frame.index('"payload":') :])
    assert acked["meta"]["acked_msg_id"] == msg_id
    return figures


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [8 * MIB, 60 * MIB], ids=["8 MiB", "60 MiB"])
@pytest.mark.parametrize("unit", ["x", "你"], ids=["ascii", "chinese"])
async def test_a_large_message_passes_and_a_ping_of_another_client_too(
    size: int, unit: str
) -> None:
    data = json.dumps(unit * (size // len(unit.encode())), ensure_ascii=False)
    async with running_pair(edge={"max-message-size": 100 * MIB}) as pair:
        figures = await pass_one(pair, "large", data)
    # How long each takes is measured in benchmarks/.
    ended = {name: len(values) for name, values in figures.items()}
    assert min(ended.values()) >= ROUND_TRIPS, ended
