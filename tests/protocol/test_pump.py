"""The writing side of a bridge stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from maim_protocol.pump import Pump


class Wire:
    """Gathers what lies in `waiting` into one frame and writes it when the gate is open."""

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.written: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.writing = asyncio.Event()
        self.pump: Pump[list[str]] = Pump(self._gather, self._write)

    def push(self, item: str) -> None:
        self.waiting.append(item)
        self.pump.wake()

    def _gather(self) -> list[str] | None:
        frame, self.waiting = self.waiting, []
        return frame or None

    async def _write(self, frame: list[str]) -> None:
        self.writing.set()
        await self.gate.wait()
        self.written.append(frame)


@contextlib.asynccontextmanager
async def running(wire: Wire) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(wire.pump.run())
    async with asyncio.timeout(10):
        yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_lone_item_leaves_at_once() -> None:
    wire = Wire()
    async with running(wire):
        wire.push("a")
        await wire.pump.idle()
        assert wire.written == [["a"]]


async def test_what_gathers_during_a_write_leaves_in_one_frame() -> None:
    wire = Wire()
    async with running(wire):
        wire.gate.clear()
        wire.push("a")
        await wire.writing.wait()
        for item in "bcd":
            wire.push(item)
        wire.gate.set()
        await wire.pump.idle()
        assert wire.written == [["a"], ["b", "c", "d"]]


async def test_a_wake_before_the_start_is_not_lost() -> None:
    wire = Wire()
    wire.push("a")
    async with running(wire):
        await wire.pump.idle()
        assert wire.written == [["a"]]


async def test_it_is_not_idle_while_a_write_is_under_way() -> None:
    wire = Wire()
    async with running(wire):
        wire.gate.clear()
        wire.push("a")
        await wire.writing.wait()
        idle = asyncio.ensure_future(wire.pump.idle())
        wire.push("b")
        wire.gate.set()
        await idle
        assert wire.written == [["a"], ["b"]]


async def test_a_broken_write_ends_it_with_the_error() -> None:
    async def broken(frame: list[str]) -> None:
        raise ConnectionError("gone")

    pump: Pump[list[str]] = Pump(lambda: ["x"], broken)
    pump.wake()
    with pytest.raises(ConnectionError, match="gone"):
        await pump.run()


async def test_flush_writes_what_has_gathered_by_now() -> None:
    wire = Wire()
    wire.push("a")
    await wire.pump.flush()
    assert wire.written == [["a"]]
