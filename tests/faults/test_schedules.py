"""Random schedules of faults: `MAIM_FAULTS_SEED=N make test-faults` plays that one again."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.faults.conftest import Tell
from tests.faults.guarantees import FAMILIES
from tests.faults.scenario import Scenario
from tests.faults.schedule import Fault, Schedule, Step, draw
from tests.faults.site import running_site

# Read before the fixture that hides such names from the processes.
SEED = os.environ.get("MAIM_FAULTS_SEED", "")
# Sites that play at the same time: mostly they wait for processes and clients to come back.
LANES = 4
ROUTER = {"hook-timeout": 1}
EDGE = {"drain-window": 0.2}


def seeds(count: int) -> list[int]:
    """The seeds to play: the one that was asked for, or new ones."""
    return [int(SEED)] if SEED else random.sample(range(10**9), count)


@pytest.mark.timeout(1200)
async def test_random_faults_break_no_promise(
    request: pytest.FixtureRequest, tmp_path: Path, tell: Tell
) -> None:
    chosen = seeds(request.config.getoption("--schedules"))
    waiting = iter(chosen)
    failures: list[str] = []
    lanes = [lane(tmp_path, waiting, tell, failures) for _ in range(min(LANES, len(chosen)))]
    await asyncio.gather(*lanes)
    assert not failures, "\n\n".join([f"{len(failures)} of {len(chosen)} failed", *failures])


async def lane(folder: Path, waiting: Iterator[int], tell: Tell, failures: list[str]) -> None:
    """Scenario one schedule after the other; after a failure at a new site."""
    for seed in waiting:
        letters = {"mailbox": f"sqlite:///{folder}/{seed}.db"}  # survives the router
        async with running_site(folder, router=ROUTER | letters, edge=EDGE) as site:
            for more in chain([seed], waiting):
                if not await passes(Scenario(site, draw(more, FAMILIES)), more, tell, failures):
                    break


async def passes(scenario: Scenario, seed: int, tell: Tell, failures: list[str]) -> bool:
    """Scenario one, and keep what it has to say when it fails."""
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        await scenario.run()
    except AssertionError as failure:
        failures.append(str(failure))
    figures = ", ".join(f"{n} {name}" for name, n in scenario.oracle.figures.items() if n)
    result = "FAILED" if scenario.oracle.broken else "passed"
    tell(f"seed {seed} {result} in {clock() - began:.1f} s: {figures}")
    return not scenario.oracle.broken


# What random schedules found once; the code behind each has changed since.
KEPT = {
    "a half-open proxy of a client whose router dies": (
        Step(41, Fault.WEBSOCKET_HALF_OPEN, 1, 30),
        Step(49, Fault.ROUTER_KILLED, 1, 27),
        Step(55, Fault.BRIDGE_CUT, 1, 14),
    ),
    "a reset proxy of clients behind a narrow bridge": (
        Step(18, Fault.BRIDGE_NARROW, 1, 27),
        Step(37, Fault.WEBSOCKET_RESET, 1, 16),
    ),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("steps", KEPT.values(), ids=list(KEPT))
async def test_what_was_broken_once_stays_whole(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    router = ROUTER | {"mailbox": f"sqlite:///{tmp_path}/letters.db"}
    async with running_site(tmp_path, router=router, edge=EDGE) as site:
        for seed in range(3):
            await Scenario(site, Schedule(seed, steps)).run()
