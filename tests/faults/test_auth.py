"""The application's authentication is slow, hangs or fails: that is between it and who comes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.faults.chat_client import chat_client, connected_clients
from tests.faults.guarantees import EXCUSED
from tests.faults.oracle import Oracle
from tests.faults.sdk_client import SdkClient
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site, running_site
from tests.faults.wire import PLATFORM

ANSWERS = {"hang": 503, "raise": 401}


async def answer(site: Site, name: str) -> int:
    """Ask for a connection; returns the status of the refusal."""
    query = urlencode({"api_key": name, "platform": PLATFORM})
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{site.url(0)}?{query}")
    return refused.value.response.status_code


async def exchange(shared: SharedOracle, alice: SdkClient) -> None:
    """Let somebody who is there write to themselves."""
    alice.say("alice")
    async with asyncio.timeout(30):
        await shared.until(lambda: shared.oracle.content)


@pytest.mark.parametrize("mood", ANSWERS)
async def test_whom_authentication_cannot_judge_is_refused_and_others_go_on(
    tmp_path: Path, mood: str
) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    async with running_site(tmp_path, edges=1, router={"hook-timeout": 1}) as site:
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            site.feel(mood)
            refusals = [asyncio.create_task(answer(site, f"bob{n}")) for n in range(20)]
            while not all(task.done() for task in refusals):
                await exchange(shared, alice)
            assert [task.result() for task in refusals] == [ANSWERS[mood]] * len(refusals)
            assert alice.ends == []
            site.feel("well")
            async with connected_clients([chat_client(shared, "bob0-plain", site.url(0))]):
                alice.say("bob0-plain")
                await exchange(shared, alice)
    assert shared.oracle.broken == []


@pytest.mark.parametrize("mood", ["slow", "hang"])
async def test_our_clients_wait_for_an_authentication_that_is_slow_or_hangs(
    tmp_path: Path, mood: str
) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    async with running_site(tmp_path, edges=1, router={"hook-timeout": 0.5}) as site:
        site.feel(mood)
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            alice.say("alice")
            site.feel("well")
            await exchange(shared, alice)
    assert shared.oracle.broken == []


@pytest.mark.parametrize("mood", ["slow", "hang"])
async def test_a_router_that_comes_back_does_not_ask_again_about_those_who_are_there(
    tmp_path: Path, mood: str
) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    router = {"hook-timeout": 1, "signing-key": "the same for every run of this router"}
    async with running_site(tmp_path, edges=1, router=router) as site:
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            await exchange(shared, alice)
            site.feel(mood)
            await site.router.kill()
            await site.router.start()
            await exchange(shared, alice)
            assert alice.ends == []
    assert shared.oracle.broken == []
