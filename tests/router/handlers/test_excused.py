"""Handlers that wait for the end of handlers, as a callback does that stops its server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from maim_router.handlers.runner import HandlerRunner, Job


class Quitter:
    """Jobs that are excused and wait until their handlers have ended."""

    def __init__(self) -> None:
        self.handlers = HandlerRunner()
        self.may_quit = asyncio.Event()
        self.ended = asyncio.Event()
        self.quitting: list[asyncio.Task[None]] = []
        self.told: list[str] = []

    async def quit_at_once(self) -> None:
        await self._quit()

    async def quit_when_told(self) -> None:
        await self.may_quit.wait()
        await self._quit()

    async def quit_when_cut_off(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self._quit()

    async def _quit(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.quitting.append(task)
        with self.handlers.excused(task):
            await self.ended.wait()
        self.told.append("quit")

    async def run(self, callback: Callable[[], Awaitable[None]], timeout: float) -> None:
        self.handlers.submit(Job("job", "a", "x", callback))
        stopping = asyncio.create_task(self._stop(timeout))
        await asyncio.sleep(0)
        self.may_quit.set()
        async with asyncio.timeout(10):
            await stopping
            await asyncio.gather(*self.quitting, return_exceptions=True)

    async def _stop(self, timeout: float) -> None:
        await self.handlers.stop(timeout)
        self.told.append("stopped")
        self.ended.set()


@pytest.mark.parametrize(
    ("callback", "timeout"),
    [(Quitter.quit_at_once, 60), (Quitter.quit_when_told, 60), (Quitter.quit_when_cut_off, 0)],
)
async def test_one_that_waits_for_the_end_itself_is_neither_waited_for_nor_cut_off(
    callback: Callable[[Quitter], Awaitable[None]], timeout: float
) -> None:
    quitter = Quitter()
    await quitter.run(partial(callback, quitter), timeout)
    assert quitter.told == ["stopped", "quit"]
    assert quitter.handlers.active == 0, "it counts until it has ended, and no longer"


async def test_whoever_is_no_handler_may_be_excused_as_well() -> None:
    handlers = HandlerRunner()
    handlers.submit(Job("job", "a", "x", asyncio.Event().wait))
    with handlers.excused(None), handlers.excused(asyncio.current_task()):
        async with asyncio.timeout(10):
            await handlers.stop(0)
    assert handlers.active == 0


async def test_one_that_does_not_wait_for_the_end_any_more_is_cut_off_as_others_are() -> None:
    handlers = HandlerRunner()
    told: list[str] = []

    async def gives_up_waiting() -> None:
        with handlers.excused(asyncio.current_task()):
            told.append("waits")
        await asyncio.Event().wait()

    handlers.submit(Job("job", "a", "x", gives_up_waiting))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await handlers.stop(0)
    assert (told, handlers.active) == (["waits"], 0)
