from __future__ import annotations

import asyncio

import pytest

from maim_message.client.connection.run import ConnectionRun
from tests.sdk.edge import soon


async def wait_for_ever(run: ConnectionRun) -> None:
    await asyncio.Event().wait()


async def ended(run: ConnectionRun) -> None:
    run.end()
    await asyncio.wait([run.task])


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_run_that_is_ended_tells_who_waits_however_far_it_came(steps: int) -> None:
    run = ConnectionRun(wait_for_ever, "run")
    waiting = asyncio.create_task(run.outcome())
    for _ in range(steps):
        await asyncio.sleep(0)
    assert run.expecting
    run.end()
    assert not run.expecting
    assert await soon(waiting) is False
    assert run.task.done()


async def test_who_waits_hears_of_the_next_attempt_and_is_forgotten() -> None:
    run = ConnectionRun(wait_for_ever, "run")
    waiting = [asyncio.create_task(run.outcome()) for _ in range(3)]
    await asyncio.sleep(0)
    assert run.awaited
    waiting.pop().cancel()
    run.resolve(True)
    assert not run.awaited
    assert await soon(asyncio.gather(*waiting)) == [True, True]
    await ended(run)


async def test_a_pause_ends_when_somebody_waits_for_an_outcome() -> None:
    run = ConnectionRun(wait_for_ever, "run")
    pausing = asyncio.create_task(run.pause(3600))
    await asyncio.sleep(0)
    assert not pausing.done()
    waiting = asyncio.create_task(run.outcome())
    await soon(pausing)
    await soon(run.pause(3600))
    await ended(run)
    assert await waiting is False


async def test_a_pause_ends_when_its_time_is_over() -> None:
    run = ConnectionRun(wait_for_ever, "run")
    await soon(run.pause(0.001))
    await ended(run)
