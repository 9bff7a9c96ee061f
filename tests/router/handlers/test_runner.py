"""How handlers are run."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import sys
from collections import defaultdict
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_router.handlers.runner import HandlerRunner, Job, Order


class Stage:
    """Jobs that note their start and end when they are let go."""

    def __init__(self, limit: int = 1000, order: Order = "concurrent", **options: float) -> None:
        self.handlers = HandlerRunner(limit, order, **options)
        self.begun: list[str] = []
        self.ended: list[tuple[str, bool]] = []
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.most = 0
        self.news = asyncio.Event()

    def submit(
        self, name: str, ordering_key: str = "u/qq", *, notification: bool = False, user: str = "u"
    ) -> None:
        async def run() -> None:
            self.begun.append(name)
            self.most = max(self.most, self.handlers.active)
            await self.gates[name].wait()
            if name.startswith("bad"):
                raise ValueError(name)

        def done(returned: bool) -> None:
            self.ended.append((name, returned))
            self.news.set()

        self.handlers.submit(
            Job("job", name, ordering_key, run, done=None if notification else done, user=user)
        )

    async def let_go(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()
        await self.turn()

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for an end after which something is the case."""
        async with asyncio.timeout(20):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def turn(self) -> None:
        """Let the loop come to rest."""
        for _ in range(10):
            await asyncio.sleep(0)


async def test_handlers_start_in_order_and_run_concurrently() -> None:
    stage = Stage()
    for name in ("a", "b", "c"):
        stage.submit(name)
    await stage.turn()
    assert stage.begun == ["a", "b", "c"]
    await stage.let_go("c")
    assert stage.ended == [("c", True)]
    await stage.let_go("a", "b")
    assert stage.handlers.active == 0


async def test_no_more_than_the_limit_run_at_once_and_the_others_follow_in_order() -> None:
    stage = Stage(limit=2)
    for name in "abcd":
        stage.submit(name)
    await stage.turn()
    assert (stage.begun, stage.handlers.waiting) == (["a", "b"], 2)
    await stage.let_go("b")
    assert stage.begun == ["a", "b", "c"]
    await stage.let_go("a", "c", "d")
    assert stage.begun == ["a", "b", "c", "d"]
    assert stage.handlers.waiting == 0


async def test_a_job_is_said_to_be_started_when_its_turn_comes() -> None:
    stage = Stage(limit=1)
    started: list[str] = []

    async def nothing() -> None:
        pass

    stage.submit("a")
    stage.handlers.submit(Job("job", "b", "x", nothing, started=lambda: started.append("b")))
    await stage.turn()
    assert started == []
    await stage.let_go("a")
    assert started == ["b"]


async def test_sequential_runs_one_at_a_time_a_sender() -> None:
    stage = Stage(order="sequential")
    for name, ordering_key in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("a3", "a")):
        stage.submit(name, ordering_key)
    await stage.turn()
    assert stage.begun == ["a1", "b1"]
    await stage.let_go("a1")
    assert stage.begun == ["a1", "b1", "a2"]
    await stage.let_go("a2", "a3", "b1")
    assert [name for name, _ in stage.ended if name[0] == "a"] == ["a1", "a2", "a3"]
    assert (stage.handlers.active, stage.handlers.waiting) == (0, 0)


async def test_a_sender_that_came_back_after_silence_runs_again() -> None:
    stage = Stage(order="sequential")
    stage.submit("a1", "a")
    await stage.let_go("a1")
    stage.submit("a2", "a")
    await stage.let_go("a2")
    assert stage.ended == [("a1", True), ("a2", True)]


@given(
    jobs=st.lists(st.sampled_from("xyz"), max_size=15),
    limit=st.integers(1, 4),
    order=st.sampled_from(["concurrent", "sequential"]),
    ends=st.randoms(use_true_random=False),
)
def test_every_job_runs_once_within_the_bounds(
    jobs: list[str], limit: int, order: Order, ends: st.DataObject
) -> None:
    async def play() -> None:
        stage = Stage(limit, order)
        try:
            await run_all(stage)
        finally:
            await stage.handlers.stop(0)

    async def run_all(stage: Stage) -> None:
        names = [f"{ordering_key}{number}" for number, ordering_key in enumerate(jobs)]
        for name in names:
            stage.submit(name, name[0])
        while stage.handlers.active or stage.handlers.waiting:
            await stage.turn()
            running = [n for n in stage.begun if n not in dict(stage.ended)]
            if order == "sequential":
                assert len({n[0] for n in running}) == len(running)
            await stage.let_go(ends.choice(running))
        assert sorted(stage.begun) == sorted(names)
        assert stage.most <= limit
        for ordering_key in "xyz":
            mine = [name for name in stage.begun if name[0] == ordering_key]
            assert mine == [name for name in names if name[0] == ordering_key]

    asyncio.run(play())


async def test_one_that_raises_is_logged_counted_and_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(limit=1, order="sequential")
    stage.submit("bad")
    stage.submit("good")
    with caplog.at_level(logging.ERROR):
        await stage.let_go("bad", "good")
    assert stage.ended == [("bad", False), ("good", True)]
    assert stage.handlers.errors == 1
    assert "handler raised: job bad" in caplog.text


async def test_stopping_drops_messages_that_wait_and_cuts_off_what_hangs() -> None:
    stage = Stage(limit=1)
    stage.submit("hangs")
    stage.submit("waits")
    await stage.turn()
    await stage.handlers.stop(0)
    assert stage.begun == ["hangs"]
    assert stage.ended == []
    assert (stage.handlers.active, stage.handlers.waiting) == (0, 0)


@pytest.mark.parametrize("order", ["concurrent", "sequential"])
async def test_stopping_lets_what_runs_and_notifications_finish(order: Order) -> None:
    stage = Stage(limit=1, order=order)
    stage.submit("runs")
    stage.submit("waits")
    stage.submit("waits too", "v/qq")
    stage.submit("goodbye", notification=True)
    stage.submit("goodbye too", "v/qq", notification=True)
    await stage.turn()
    for gate in ("runs", "waits", "waits too", "goodbye", "goodbye too"):
        stage.gates[gate].set()
    async with asyncio.timeout(10):
        await stage.handlers.stop(60)
    assert sorted(stage.begun) == ["goodbye", "goodbye too", "runs"]
    assert stage.ended == [("runs", True)]


async def test_a_handler_has_a_task_of_its_own_before_and_after_it_waits() -> None:
    tasks: list[asyncio.Task[None] | None] = []

    async def run() -> None:
        tasks.append(asyncio.current_task())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        tasks.append(asyncio.current_task())

    stage = Stage()
    stage.handlers.submit(Job("job", "a", "x", run))
    async with asyncio.timeout(10):
        await stage.handlers.finish(10)
    assert len(tasks) == 2
    assert tasks[0] is tasks[1]
    assert tasks[0] is not asyncio.current_task()


async def test_a_handler_sees_no_context_of_another_one() -> None:
    about: contextvars.ContextVar[str] = contextvars.ContextVar("about", default="nobody")
    seen: list[str] = []

    async def run(name: str) -> None:
        seen.append(about.get())
        about.set(name)

    stage = Stage()
    for name in ("a", "b"):
        stage.handlers.submit(Job("job", name, "x", run, (name,)))
    await stage.turn()
    assert (seen, about.get()) == (["nobody", "nobody"], "nobody")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
async def test_a_handler_that_never_waits_has_ended_when_it_is_submitted() -> None:
    stage = Stage(limit=1)
    stage.gates["a"].set()
    stage.submit("a")
    assert (stage.ended, stage.handlers.active) == ([("a", True)], 0)


async def test_many_that_wait_for_their_turn_and_never_wait_then_do_not_dig_deep() -> None:
    stage = Stage(limit=1, order="sequential")
    names = [str(number) for number in range(3 * sys.getrecursionlimit())]
    stage.submit("first")
    for name in names:
        stage.gates[name].set()
        stage.submit(name)
    stage.gates["first"].set()
    last = asyncio.Event()
    stage.handlers.submit(Job("job", "last", "u/qq", last.set))
    async with asyncio.timeout(20):
        await last.wait()
    assert [name for name, _ in stage.ended] == ["first", *names]


async def test_no_message_starts_after_the_end_but_a_notification_does() -> None:
    stage = Stage()
    await stage.handlers.finish(0)
    stage.submit("late")
    stage.submit("goodbye", notification=True)
    await stage.let_go("goodbye")
    assert stage.begun == ["goodbye"]


async def test_one_that_was_cut_off_before_its_first_step_does_not_count_any_more() -> None:
    stage = Stage()
    stage.submit("never begins")
    async with asyncio.timeout(10):
        await stage.handlers.stop(0)
    assert stage.handlers.active == 0


async def test_one_user_holds_up_the_handlers_of_no_other() -> None:
    stage = Stage(limit=8)
    for number in range(100):
        stage.submit(f"hangs{number}", user="mallory")
    stage.submit("quick", user="alice")
    await stage.let_go("quick")
    assert stage.ended == [("quick", True)]


async def test_users_who_wait_are_served_in_turn() -> None:
    stage = Stage(limit=1)
    for name in ("a0", "a1", "a2", "b0", "c0"):
        stage.submit(name, user=name[0])
    await stage.let_go("a0", "a1", "a2", "b0", "c0")
    assert stage.begun == ["a0", "a1", "b0", "c0", "a2"]


async def test_a_handler_that_takes_too_long_fails_its_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(timeout=0.01)
    stage.submit("hangs")
    await stage.until(lambda: stage.ended)
    assert stage.ended == [("hangs", False)]
    assert "TimeoutError: not done within 0.01 s" in caplog.text


async def test_a_timeout_of_the_handlers_own_is_told_as_that(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(timeout=60)

    async def times_out() -> None:
        raise TimeoutError("its own")

    stage.handlers.submit(Job("job", "x", "u", times_out))
    await stage.turn()
    assert "TimeoutError: its own" in caplog.text


async def test_handlers_of_a_user_who_is_gone_are_ended_when_others_wait() -> None:
    stage = Stage(limit=1, gone_seconds=0)
    stage.submit("hangs", user="mallory")
    stage.handlers.user_left("mallory")
    await stage.turn()
    assert stage.ended == []
    stage.submit("quick", user="alice")
    stage.gates["quick"].set()
    await stage.until(lambda: len(stage.ended) == 2)
    assert stage.ended == [("hangs", False), ("quick", True)]


async def test_handlers_of_a_user_who_came_back_go_on() -> None:
    stage = Stage(limit=1, gone_seconds=0)
    stage.submit("goes on", user="alice")
    stage.handlers.user_left("alice")
    stage.handlers.user_came("alice")
    stage.submit("waits", user="bob")
    await stage.turn()
    await stage.let_go("goes on", "waits")
    assert stage.ended == [("goes on", True), ("waits", True)]


class Strange(BaseException):
    """What neither the loop nor the runner knows."""


@pytest.mark.parametrize("waits", [False, True])
async def test_whatever_a_handler_raises_its_message_is_answered_for(waits: bool) -> None:
    stage = Stage()

    async def raises() -> None:
        if waits:
            await asyncio.sleep(0)
        raise Strange

    stage.handlers.submit(
        Job("job", "x", "u", raises, done=lambda returned: stage.ended.append(("x", returned)))
    )
    await stage.turn()
    assert stage.ended == [("x", False)]
    assert stage.handlers.active == 0
