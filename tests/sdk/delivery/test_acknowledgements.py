from __future__ import annotations

import asyncio

import pytest

from maim_message.client.delivery.acknowledgements import PendingAcks
from tests.sdk.edge import soon


async def test_an_answer_reaches_who_waits_for_it() -> None:
    pending_acks = PendingAcks()
    good, bad = pending_acks.expect("good"), pending_acks.expect("bad")
    assert pending_acks.settle("good", None)
    assert pending_acks.settle("bad", "no_route")
    assert (await good, await bad) == (None, "no_route")


async def test_an_answer_that_nobody_waits_for_any_more_is_none() -> None:
    pending_acks = PendingAcks()
    pending_acks.expect("gone")
    pending_acks.forget("gone")
    assert not pending_acks.settle("gone", None)
    assert not pending_acks.settle("never asked for", None)


async def test_the_first_answer_counts() -> None:
    pending_acks = PendingAcks()
    answer = pending_acks.expect("1")
    for error in (None, "too late"):
        assert pending_acks.settle("1", error)
    assert await answer is None


async def test_each_waits_as_long_as_its_own_limit() -> None:
    pending_acks = PendingAcks()
    waiting = [pending_acks.expect(name) for name in ("long", "short", "endless", "answered")]
    pending_acks.limit("long", 0.02)
    pending_acks.limit("short", 0.01)
    pending_acks.limit("endless", None)
    pending_acks.limit("answered", 0.01)
    pending_acks.settle("answered", None)
    pending_acks.forget("answered")
    first, _ = await asyncio.wait(waiting[:3], timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert first == {waiting[1]}
    assert await waiting[1] == "no acknowledgement of short in 0.01 s"
    assert await soon(waiting[0]) == "no acknowledgement of long in 0.02 s"
    assert not waiting[2].done()


@pytest.mark.parametrize("limit", [0.0, -1.0])
async def test_no_time_at_all_is_over_at_once(limit: float) -> None:
    pending_acks = PendingAcks()
    answer = pending_acks.expect("1")
    pending_acks.limit("1", limit)
    assert "no acknowledgement" in str(await soon(answer))


async def test_everybody_is_answered_at_the_end_and_no_limit_is_left() -> None:
    pending_acks = PendingAcks()
    waiting = [pending_acks.expect(name) for name in "abc"]
    pending_acks.limit("a", 3600)
    pending_acks.settle_all("no acknowledgement: disconnected")
    assert {await answer for answer in waiting} == {"no acknowledgement: disconnected"}
    assert not any(name.startswith("_time") for name in scheduled())


def scheduled() -> list[str]:
    """Name what the loop has scheduled and not cancelled."""
    timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    return [timer._callback.__name__ for timer in timers if not timer.cancelled()]


async def test_limits_of_what_was_answered_are_not_kept() -> None:
    pending_acks = PendingAcks()
    for number in range(1000):
        pending_acks.expect(str(number))
        pending_acks.limit(str(number), 3600)
        pending_acks.settle(str(number), None)
        pending_acks.forget(str(number))
    assert len(pending_acks._limits) <= 1
    pending_acks.settle_all("the end")
