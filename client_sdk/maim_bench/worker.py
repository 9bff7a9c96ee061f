"""One generator process: a plan comes on stdin, then commands; answers go to stdout, as JSON.

`go` sends from now on; `window` tells what came since the last window or `go`; `reach N SECONDS`
waits until N messages were delivered since `go`; `finish SECONDS` sends nothing more, waits for
what is on its way, tells of it and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import sys
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from maim_bench.clients import Client, Listening, load_wire, open_all
from maim_bench.descriptors import allow_descriptors
from maim_bench.matching import Window
from maim_bench.open_loop import OpenLoop
from maim_bench.plan import Plan
from maim_bench.traffic import Traffic
from maim_protocol.errors import ConfigError

# Beside its connections a process has a few files open.
SPARE_DESCRIPTORS = 50
LOOK_SECONDS = 0.02
SUBSCRIBE_SECONDS = 0.5


class Worker:
    """Runs a plan, as far as it is told to."""

    def __init__(self, plan: Plan) -> None:
        traffic = Traffic(plan)
        self._load = Listening(plan.slow) if plan.work == "listen" else traffic
        self._open_loop = OpenLoop(plan, traffic.send_next) if plan.rate else None
        self._plan = plan
        self._began = self._cpu = 0.0
        self._wire = load_wire(plan, self._load)
        numbers = range(plan.first, plan.first + plan.connections)
        self._clients = [Client(number, self._load, self._wire) for number in numbers]

    async def open(self) -> dict[str, Any]:
        """Make the connections; without all of them there is nothing to measure."""
        allow_descriptors(self._plan.connections + SPARE_DESCRIPTORS)
        cpu = time.process_time()
        opened = await open_all(self._clients, self._wire, self._plan)
        if self._plan.wire:
            # Other protocols subscribe after the handshake, and answer nothing to it.
            await asyncio.sleep(SUBSCRIBE_SECONDS)
        if not opened.failed:
            self._load.ready(self._clients, self._wire)
        # Nothing here makes cycles any more, and looking for them costs.
        gc.collect()
        gc.freeze()
        gc.disable()
        return {**msgspec.to_builtins(opened), "cpu_seconds": time.process_time() - cpu}

    def go(self) -> dict[str, Any]:
        """Send from now on."""
        self._begin()
        self._load.start()
        if self._open_loop is not None:
            self._open_loop.start()
        return {}

    def window(self) -> dict[str, Any]:
        """Tell of the time since the last window, and begin a new one."""
        matching = self._load.matching
        told = matching.window.to_dict() | {
            "seconds": time.monotonic() - self._began,
            "cpu_seconds": time.process_time() - self._cpu,
        }
        self._begin()
        return told

    async def reach(self, delivered: int, seconds: float) -> dict[str, Any]:
        """Wait until so many messages came to listeners; tells how many did within the time."""
        if not isinstance(self._load, Listening):
            return {"delivered": 0}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._load.reach(delivered)
        return {"delivered": self._load.total}

    async def finish(self, seconds: float) -> dict[str, Any]:
        """Send nothing more, wait for what is on its way, and tell what is lost."""
        if self._open_loop is not None:
            self._open_loop.stop()
        self._load.stop()
        matching = self._load.matching
        for _ in range(math.ceil(seconds / LOOK_SECONDS)):
            if not matching.open:
                break
            await asyncio.sleep(LOOK_SECONDS)
        lost = {"lost": len(matching.undelivered), "unacknowledged": len(matching.unacked)}
        return self.window() | lost

    def close(self) -> None:
        """Drop every connection."""
        for client in self._clients:
            client.close()

    def _begin(self) -> None:
        self._load.matching.window = Window()
        self._began, self._cpu = time.monotonic(), time.process_time()


async def obey() -> None:
    """Read the plan and the commands, and answer each."""
    lines = _lines()
    worker = Worker(msgspec.json.decode(await anext(lines), type=Plan))
    try:
        _tell(await worker.open())
    except ConfigError as error:
        _tell({"error": str(error)})
        return
    async for line in lines:
        match line.split():
            case ["go"]:
                _tell(worker.go())
            case ["window"]:
                _tell(worker.window())
            case ["reach", number, seconds]:
                _tell(await worker.reach(int(number), float(seconds)))
            case ["finish", seconds]:
                _tell(await worker.finish(float(seconds)))
                break
    worker.close()


def main() -> None:
    """Run on uvloop where there is one."""
    # It warns of every pause of a connection.
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    factory = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(obey())


async def _lines() -> AsyncIterator[str]:
    """Yield what comes on stdin, read by a thread: Windows' loops read no pipes."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in sys.stdin:
                loop.call_soon_threadsafe(queue.put_nowait, line.rstrip())
            loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
