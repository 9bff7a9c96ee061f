from __future__ import annotations

import asyncio

import pytest

from maim_message.client.delivery.acknowledgements import Answers
from tests.sdk.edge import soon


async def test_an_answer_reaches_who_waits_for_it() -> None:
    answers = Answers()
    good, bad = answers.expect("good"), answers.expect("bad")
    assert answers.settle("good", None)
    assert answers.settle("bad", "no_route")
    assert (await good, await bad) == (None, "no_route")


async def test_an_answer_that_nobody_waits_for_any_more_is_none() -> None:
    answers = Answers()
    answers.expect("gone")
    answers.forget("gone")
    assert not answers.settle("gone", None)
    assert not answers.settle("never asked for", None)


async def test_the_first_answer_counts() -> None:
    answers = Answers()
    answer = answers.expect("1")
    for error in (None, "too late"):
        assert answers.settle("1", error)
    assert await answer is None


async def test_each_waits_as_long_as_its_own_limit() -> None:
    answers = Answers()
    waiting = [answers.expect(name) for name in ("long", "short", "endless", "answered")]
    answers.limit("long", 0.02)
    answers.limit("short", 0.01)
    answers.limit("endless", None)
    answers.limit("answered", 0.01)
    answers.settle("answered", None)
    answers.forget("answered")
    first, _ = await asyncio.wait(waiting[:3], timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert first == {waiting[1]}
    assert await waiting[1] == "no acknowledgement of short in 0.01 s"
    assert await soon(waiting[0]) == "no acknowledgement of long in 0.02 s"
    assert not waiting[2].done()


@pytest.mark.parametrize("limit", [0.0, -1.0])
async def test_no_time_at_all_is_over_at_once(limit: float) -> None:
    answers = Answers()
    answer = answers.expect("1")
    answers.limit("1", limit)
    assert "no acknowledgement" in str(await soon(answer))


async def test_everybody_is_answered_at_the_end_and_no_limit_is_left() -> None:
    answers = Answers()
    waiting = [answers.expect(name) for name in "abc"]
    answers.limit("a", 3600)
    answers.settle_all("no acknowledgement: disconnected")
    assert {await answer for answer in waiting} == {"no acknowledgement: disconnected"}
    assert not any(name.startswith("_time") for name in scheduled())


def scheduled() -> list[str]:
    """Name what the loop has scheduled and not cancelled."""
    timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [timer._callback.__name__ for timer in timers if not timer.cancelled()]


async def test_limits_of_what_was_answered_are_not_kept() -> None:
    answers = Answers()
    for number in range(1000):
        answers.expect(str(number))
        answers.limit(str(number), 3600)
        answers.settle(str(number), None)
        answers.forget(str(number))
    assert len(answers._limits) <= 1
    answers.settle_all("the end")
