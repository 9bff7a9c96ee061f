from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable
from typing import Any

import pytest

from maim_message.client.callbacks import dispatcher as dispatch
from maim_message.client.callbacks.dispatcher import Dispatcher
from maim_message.client.stats import Stats
from tests.sdk.edge import soon, until

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO")


class Log:
    """Keeps what a dispatcher tells of callbacks that failed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def failure(self, text: str, error: BaseException) -> None:
        self.lines.append(f"{text}: {error!r}")


class Work:
    """A job that calls a function."""

    def __init__(self, name: str, start: Callable[[], Any], size_bytes: int = 1) -> None:
        self.name = name
        self.start = start
        self.size_bytes = size_bytes
        self.was_cut_off = False

    def cut_off(self) -> None:
        self.was_cut_off = True

    def __str__(self) -> str:
        return self.name


class Desk:
    """A dispatcher, and what its jobs did."""

    def __init__(self, max_tasks: int = 10) -> None:
        self.log = Log()
        self.stats = Stats()
        self.dispatcher = Dispatcher(max_tasks, self.log, self.stats)  # type: ignore[arg-type]
        self.done: list[Any] = []
        self.go_on = asyncio.Event()

    def note(self, what: Any) -> None:
        self.dispatcher.submit(Work(str(what), lambda: self.done.append(what)))

    def wait(self, what: Any) -> None:
        async def job() -> None:
            await self.go_on.wait()
            self.done.append(what)

        self.dispatcher.submit(Work(str(what), job))


async def test_jobs_start_in_order_and_never_where_they_are_submitted() -> None:
    desk = Desk()
    for number in range(5):
        desk.note(number)
    assert desk.done == []
    await until(lambda: desk.done == [0, 1, 2, 3, 4])


async def test_what_waits_for_a_place_starts_when_one_is_free() -> None:
    desk = Desk(max_tasks=2)
    for number in range(2):
        desk.wait(number)
    for number in (2, 3):
        desk.note(number)
    await until(lambda: desk.dispatcher.active == 2)
    assert desk.done == []
    desk.go_on.set()
    await until(lambda: desk.done == [0, 1, 2, 3])


async def test_each_job_has_its_own_copy_of_the_context_it_came_from() -> None:
    desk = Desk()
    WHO.set("the client")

    def claim() -> None:
        desk.done.append(WHO.get())
        WHO.set("the first")

    async def claim_later() -> None:
        claim()
        await asyncio.sleep(0)
        desk.done.append(WHO.get())

    for job in (claim, claim, claim_later, claim_later):
        desk.dispatcher.submit(Work("claim", job))
    await until(lambda: len(desk.done) == 6)
    assert sorted(desk.done) == ["the client"] * 4 + ["the first"] * 2
    assert WHO.get() == "the client"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout came with Python 3.11")
async def test_a_job_may_set_a_time_limit_for_itself() -> None:
    desk = Desk()

    async def limited() -> None:
        try:
            async with asyncio.timeout(0):
                await desk.go_on.wait()
        except TimeoutError:
            desk.done.append("its own time ran out")

    desk.dispatcher.submit(Work("limited", limited))
    desk.wait("another")
    await until(lambda: desk.done == ["its own time ran out"])
    desk.go_on.set()
    await until(lambda: desk.dispatcher.active == 0)
    assert desk.done[1:] == ["another"]


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
async def test_a_job_that_raises_keeps_no_other_from_its_turn(error: BaseException) -> None:
    desk = Desk()

    def fail() -> None:
        raise error

    desk.dispatcher.submit(Work("the bad one", fail))
    desk.note("the good one")
    await until(lambda: desk.done == ["the good one"])
    assert desk.stats.handler_errors == 1
    assert desk.log.lines[0].startswith("callback failed: the bad one: ")


@pytest.mark.parametrize("passes", [0, 1], ids=["at once", "after it waited"])
async def test_a_coroutine_that_raises_is_told_and_counted(passes: int) -> None:
    desk = Desk()

    async def fail() -> None:
        for _ in range(passes):
            await asyncio.sleep(0)
        raise ValueError("no")

    desk.dispatcher.submit(Work("the bad one", fail))
    await until(lambda: desk.stats.handler_errors == 1)
    assert desk.log.lines == ["callback failed: the bad one: ValueError('no')"]
    assert desk.dispatcher.active == 0


async def test_whatever_a_callback_returns_is_awaited_if_it_can_be() -> None:
    desk = Desk()
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    desk.dispatcher.submit(Work("a future", lambda: future))
    desk.dispatcher.submit(Work("a number", lambda: 5))
    await until(lambda: desk.dispatcher.active == 1)
    future.set_exception(ValueError("no"))
    await until(lambda: desk.dispatcher.active == 0)
    assert desk.log.lines == ["callback failed: a future: ValueError('no')"]


async def test_it_is_full_when_too_many_wait_and_has_room_again_when_they_began(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dispatch, "MOST_WAITING", 2)
    desk = Desk(max_tasks=1)
    desk.wait("running")
    await until(lambda: desk.dispatcher.active == 1)
    for number in range(2):
        assert not desk.dispatcher.full
        desk.note(number)
    assert desk.dispatcher.full
    room = asyncio.create_task(desk.dispatcher.room())
    await asyncio.sleep(0)
    assert not room.done()
    desk.go_on.set()
    await soon(room)
    assert not desk.dispatcher.full


async def test_it_is_full_when_too_many_bytes_wait() -> None:
    desk = Desk(max_tasks=1)
    desk.wait("running")
    await until(lambda: desk.dispatcher.active == 1)
    large = dispatch.MOST_WAITING_BYTES
    desk.dispatcher.submit(Work("large", lambda: desk.done.append("large"), large))
    assert desk.dispatcher.full
    desk.go_on.set()
    await soon(desk.dispatcher.room())


async def test_slow_jobs_let_the_loop_go_on_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "TURN_SECONDS", 0.0)
    desk = Desk()
    loop = asyncio.get_running_loop()
    desk.dispatcher.submit(Work("first", lambda: loop.call_soon(desk.done.append, "the loop")))
    desk.note("second")
    await until(lambda: desk.done == ["the loop", "second"])


async def test_what_is_done_after_a_turn_is_done_once_when_all_have_begun() -> None:
    desk = Desk()

    async def job() -> None:
        desk.done.append("begun")

    def first() -> Any:
        desk.dispatcher.after_turn(lambda: desk.done.append("after"))
        return job()

    desk.dispatcher.submit(Work("first", first))
    desk.dispatcher.submit(Work("second", job))
    await until(lambda: len(desk.done) == 3)
    desk.note("the next turn")
    await until(lambda: len(desk.done) == 4)
    assert desk.done == ["begun", "begun", "after", "the next turn"]


async def test_stopping_lets_finish_what_waits_and_what_runs() -> None:
    desk = Desk(max_tasks=1)
    for number in range(3):
        desk.wait(number)
    desk.note("last")
    asyncio.get_running_loop().call_soon(desk.go_on.set)
    await soon(desk.dispatcher.stop(5))
    assert desk.done == [0, 1, 2, "last"]


async def test_stopping_drops_what_does_not_finish_in_time() -> None:
    desk = Desk(max_tasks=1)
    desk.wait("never")
    desk.note("behind it")
    await soon(desk.dispatcher.stop(0.01))
    assert (desk.dispatcher.active, desk.done) == (0, [])


async def test_a_job_that_stops_the_dispatcher_does_not_wait_for_itself() -> None:
    desk = Desk(max_tasks=1)

    async def stop() -> None:
        await asyncio.sleep(0)
        await desk.dispatcher.stop(3600)
        desk.done.append("stopped")

    desk.dispatcher.submit(Work("stop", stop))
    desk.note("has no place")
    await until(lambda: desk.done == ["stopped"])


async def test_a_job_that_is_cancelled_in_the_middle_hears_of_it() -> None:
    desk = Desk(max_tasks=1)
    never, behind_it = Work("never", desk.go_on.wait), Work("behind it", desk.go_on.wait)
    for job in (never, behind_it):
        desk.dispatcher.submit(job)
    await soon(desk.dispatcher.stop(0.01))
    assert (never.was_cut_off, behind_it.was_cut_off) == (True, False)
