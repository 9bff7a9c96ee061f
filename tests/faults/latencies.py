"""How long messages of a few take to come back to them through edge and router."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from urllib.parse import urlencode

from websockets.asyncio.client import connect

from tests.faults.oracle import Letter
from tests.faults.wire import PLATFORM, ack, frame


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


async def round_trips(url: str, name: str, count: int) -> list[float]:
    """Let somebody write to themselves, one letter after the other; in milliseconds."""
    clock = asyncio.get_running_loop().time
    took: list[float] = []
    query = urlencode({"api_key": name, "platform": PLATFORM})
    async with connect(f"{url}?{query}", ping_interval=None) as conn:
        for number in range(count):
            began = clock()
            await conn.send(frame(Letter(name, name, number)))
            while (got := json.loads(await conn.recv()))["type"] != "sys_std":
                pass
            took.append((clock() - began) * 1000)
            await conn.send(ack(got["msg_id"]))
    return took


async def of_all(url: str, name: str, clients: int, count: int) -> list[float]:
    """The round trips of several clients at once."""
    each = [round_trips(url, f"{name}{n}", count) for n in range(clients)]
    return [one for took in await asyncio.gather(*each) for one in took]
