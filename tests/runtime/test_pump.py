"""The writing side of a bridge stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable

import pytest

from maim_protocol.bridge.frames import SENT
from maim_protocol.bridge.pace import Pace
from maim_runtime.pump import Pump


class Wire:
    """Gathers what lies in `waiting` into one frame and writes it when the gate is open."""

    pace = Pace(0.001)

    def __init__(self) -> None:
        self.waiting: list[str] = []
        self.written: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.writing = asyncio.Event()
        self.pump: Pump[list[str]] = Pump(self, self)

    def push(self, item: str) -> None:
        self.waiting.append(item)
        self.pump.wake()

    def gather(self) -> list[str] | None:
        frame, self.waiting = self.waiting, []
        return frame or None

    def has_more(self) -> bool:
        return bool(self.waiting)

    def write(self, frame: list[str]) -> Awaitable[None]:
        self.writing.set()
        if self.gate.is_set():
            self.written.append(frame)
            return SENT
        return self._write_later(frame)

    async def _write_later(self, frame: list[str]) -> None:
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


class BrokenWire(Wire):
    def write(self, frame: list[str]) -> Awaitable[None]:
        raise ConnectionError("gone")


class BrokenSource(Wire):
    def gather(self) -> list[str] | None:
        raise ValueError("a bug")


class LateBreaking(Wire):
    async def _write_later(self, frame: list[str]) -> None:
        raise ConnectionError("gone while it was written")


async def test_a_broken_write_ends_it_with_the_error() -> None:
    wire = BrokenWire()
    wire.push("a")
    with pytest.raises(ConnectionError, match="gone"):
        await wire.pump.run()


async def test_a_write_that_breaks_later_ends_it_with_the_error() -> None:
    wire = LateBreaking()
    wire.gate.clear()
    wire.push("a")
    with pytest.raises(ConnectionError, match="while it was written"):
        await wire.pump.run()


async def test_a_bug_of_the_source_ends_it_with_the_error() -> None:
    wire = BrokenSource()
    wire.push("a")
    with pytest.raises(ValueError, match="a bug"):
        await wire.pump.run()


async def test_what_may_wait_leaves_with_the_next_frame_or_by_itself() -> None:
    wire = Wire()
    async with running(wire):
        wire.waiting.append("lazy")
        wire.pump.wake_within(60.0)
        wire.push("urgent")
        await wire.pump.idle()
        assert wire.written == [["lazy", "urgent"]]
    other = Wire()
    async with running(other):
        other.waiting.append("lazy")
        other.pump.wake_within(0.0)
        await other.writing.wait()
        assert other.written == [["lazy"]]


async def test_after_its_end_nothing_is_written() -> None:
    wire = Wire()
    async with running(wire):
        pass
    wire.push("a")
    await asyncio.sleep(0)
    assert wire.written == []
