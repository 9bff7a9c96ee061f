"""The Python client: CPU of its process alone, at the same rate and on the same server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.environments import PEER
from benchmarks.measuring import WARM_UP_SECONDS, Meter, Options
from benchmarks.process import AnsweringProgram
from benchmarks.rows.row import Metric, Row
from benchmarks.sample import Sample
from benchmarks.systems import Pair, System
from maim_bench.generator import Generator
from maim_bench.plan import Plan

PROGRAM = Path(__file__).parent.parent / "sdk_client.py"
A_SECOND = 1000
KEY = "key-of-sdk"
FRIEND = "key-of-0"


async def send(name: str, options: Options) -> Sample:
    """Let the client send to a listener, 1,000 a second."""
    async with Pair("relay") as system, _client(name, system) as client:
        plan = Plan(urls=(system.url,), work="listen", connections=1, **system.load)
        async with Generator(plan) as generator:
            await generator.go()
            await client.ask(f"send {A_SECOND}")
            return await _count(client, "sent", options)


async def receive(name: str, options: Options) -> Sample:
    """Send to the client, 1,000 a second, from a few others."""
    async with Pair("relay") as system, _client(name, system) as client:
        plan = Plan(
            urls=(system.url,),
            work="handler",
            to=KEY,
            connections=10,
            rate=A_SECOND,
            **system.load,
        )
        async with Generator(plan) as generator:
            await generator.go()
            return await _count(client, "received", options)


async def _count(client: AnsweringProgram, what: str, options: Options) -> Sample:
    await asyncio.sleep(WARM_UP_SECONDS)
    before = (await client.ask("count"))[what]
    meter = Meter({"client": client})
    await asyncio.sleep(options.seconds)
    spent, seconds = meter.spent()["client"], meter.seconds()
    count = (await client.ask("count"))[what] - before
    faults = {} if count > A_SECOND * seconds / 2 else {"messages that it did not keep up with": 1}
    figures = {"us": spent / max(1, count) * 1e6}
    return Sample(figures, {"per_second": count / seconds}, faults)


@asynccontextmanager
async def _client(name: str, system: System) -> AsyncIterator[AnsweringProgram]:
    interpreter = Path(sys.executable) if name == "pair" else PEER.interpreter
    logs = "silenced" if name == "silenced" else "asis"
    argv = (interpreter, "-I", PROGRAM, system.url, KEY, FRIEND, logs)
    async with AnsweringProgram("client", *argv) as program:
        yield program


ROWS = tuple(
    Row(name, title, ("peer", "silenced", "pair"), (Metric("us", "µs"),), run)
    for name, title, run in (
        ("sdk-send", "the Python client sends 1,000 a second", send),
        ("sdk-receive", "the Python client receives 1,000 a second", receive),
    )
)
