"""Transitions: their order, and what is left when whoever waits for one is cancelled."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from maim_message.server.transitions import Transitions


class Stage:
    """Work that notes its start and end and goes on when its gate is opened."""

    def __init__(self) -> None:
        self.transitions = Transitions()
        self.told: list[str] = []
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def start(self, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self.transitions.start(self.work(name), self.work("undo")))

    def stop(self, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self.transitions.stop(self.work(name)))

    def work(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def work() -> None:
            self.told.append(name)
            try:
                await self.gates[name].wait()
            except asyncio.CancelledError:
                self.told.append(f"{name} takes back")
                await self.gates[f"{name} back"].wait()
                self.told.append(f"{name} took back")
                raise
            if name == "bad":
                raise ValueError(name)
            self.told.append(f"{name} ended")

        return work

    async def let_go(self, *names: str) -> None:
        for name in names:
            self.gates[name].set()
        await self.turn()

    async def turn(self) -> None:
        """Let the loop come to rest."""
        for _ in range(10):
            await asyncio.sleep(0)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    before = asyncio.all_tasks()
    stage = Stage()
    stage.gates["undo"].set()
    yield stage
    await stage.turn()
    assert asyncio.all_tasks() - before == {asyncio.current_task()}


async def test_each_begins_when_the_one_called_before_has_ended(stage: Stage) -> None:
    calls = [stage.start("a"), stage.stop("b"), stage.start("c")]
    await stage.let_go("c", "b")
    assert stage.told == ["a"]
    await stage.let_go("a")
    assert stage.told == ["a", "a ended", "b", "b ended", "c", "c ended"]
    await asyncio.gather(*calls)


async def test_one_that_fails_says_so_and_lets_the_next_begin(stage: Stage) -> None:
    bad, good = stage.start("bad"), stage.start("good")
    await stage.let_go("bad", "good")
    with pytest.raises(ValueError, match="bad"):
        await bad
    await good
    assert stage.told == ["bad", "good", "good ended"]


async def test_a_start_that_is_cancelled_is_taken_back_before_its_caller_goes_on(
    stage: Stage,
) -> None:
    starting, stopping = stage.start("a"), stage.stop("b")
    await stage.turn()
    starting.cancel()
    await stage.let_go("b")
    assert (stage.told, starting.done()) == (["a", "a takes back"], False)
    await stage.let_go("a back")
    assert stage.told == ["a", "a takes back", "a took back", "b", "b ended"]
    assert starting.cancelled()
    await stopping


async def test_taking_back_is_not_cut_off_by_a_second_cancelling(stage: Stage) -> None:
    starting = stage.start("a")
    for _ in range(3):
        await stage.turn()
        starting.cancel()
    await stage.turn()
    assert (stage.told, starting.cancelled()) == (["a", "a takes back"], True)
    await stage.let_go("a back")
    assert stage.told[-1] == "a took back"


async def test_a_start_that_is_cancelled_before_its_turn_never_begins(stage: Stage) -> None:
    stopping, starting, last = stage.stop("a"), stage.start("b"), stage.stop("c")
    await stage.turn()
    starting.cancel()
    await stage.let_go("c")
    assert (stage.told, starting.cancelled()) == (["a"], True)
    await stage.let_go("a")
    assert stage.told == ["a", "a ended", "c", "c ended"]
    await asyncio.gather(stopping, last)


async def test_a_start_that_is_cancelled_when_it_is_through_is_undone(stage: Stage) -> None:
    async def through() -> None:
        stage.told.append("through")
        starting.cancel()

    starting = asyncio.create_task(stage.transitions.start(through, stage.work("undo")))
    await stage.turn()
    assert stage.told == ["through", "undo", "undo ended"]
    assert starting.cancelled()


async def test_a_stop_goes_on_without_its_caller_and_the_next_waits_for_it(stage: Stage) -> None:
    first, second = stage.stop("a"), stage.stop("b")
    await stage.turn()
    first.cancel()
    await stage.let_go("b")
    assert (stage.told, first.cancelled(), second.done()) == (["a"], True, False)
    await stage.let_go("a")
    assert stage.told == ["a", "a ended", "b", "b ended"]
    await second
