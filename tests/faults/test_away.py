"""Letters for somebody who is away: once on return, across a restart, and not after their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from maim_router.control_client.client import ControlClient
from tests.faults.chat_client import ChatClient, chat_client, connected_clients
from tests.faults.guarantees import EXCUSED
from tests.faults.oracle import Oracle
from tests.faults.sdk_client import SdkClient
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site, running_site
from tests.faults.wire import PLATFORM

LETTERS = 50
KINDS = ("sdk", "plain", "silent")


@asynccontextmanager
async def site_with(folder: Path, **router: object) -> AsyncIterator[Site]:
    """Run one edge and a router with a mailbox in a file."""
    letters = {"mailbox": f"sqlite:///{folder}/letters.db"}
    async with running_site(folder, edges=1, router=letters | router) as site:
        yield site


async def told(shared: SharedOracle) -> None:
    """Wait until every sender knows what became of the letters."""
    async with asyncio.timeout(60):
        await shared.until(lambda: not shared.oracle.unanswered)


async def content(shared: SharedOracle) -> None:
    """Wait until nothing is missing, and judge."""
    async with asyncio.timeout(60):
        await shared.until(lambda: shared.oracle.content)
    assert shared.oracle.broken == []


def write_to_all(sender: ChatClient, names: list[str], count: int = LETTERS) -> None:
    for name in names * count:
        sender.say(name)


@pytest.mark.parametrize("restart", ["nothing", "kill", "term"])
async def test_letters_for_those_who_are_away_arrive_once_and_in_order_on_return(
    tmp_path: Path, restart: str
) -> None:
    names = [f"bob-{kind}" for kind in KINDS]
    shared = SharedOracle(Oracle(excused=EXCUSED))
    async with site_with(tmp_path) as site:
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            write_to_all(alice, names)
            await told(shared)
            assert len(shared.oracle.missing) == LETTERS * len(names)
            if restart != "nothing":
                await (site.router.kill() if restart == "kill" else site.router.terminate())
                await site.router.start()
            write_to_all(alice, names)
            async with connected_clients(
                [chat_client(shared, name, site.url(0)) for name in names]
            ):
                write_to_all(alice, names)
                await content(shared)


async def test_who_returns_a_second_time_gets_nothing_again(tmp_path: Path) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    async with site_with(tmp_path) as site:
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            for _ in range(3):
                write_to_all(alice, ["bob-plain"])
                await told(shared)
                async with connected_clients([chat_client(shared, "bob-plain", site.url(0))]):
                    await content(shared)
                    await empty(site, "bob-plain")


async def empty(site: Site, user: str) -> None:
    """Wait until the router knows that a client has what it got: a later message is ACKED."""
    async with ControlClient(f"127.0.0.1:{site.router_port}") as control:
        last = await control.send_message(
            user=user, platform=PLATFORM, text="the last", wait_for="acked", timeout=30
        )
    assert last["outcome"] == "ACKED"


async def test_after_its_ttl_a_letter_is_gone_and_its_report_says_so(tmp_path: Path) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    async with (
        site_with(tmp_path) as site,
        ControlClient(f"127.0.0.1:{site.router_port}") as control,
    ):
        queued = await control.send_message(user="bob", platform=PLATFORM, text="x", ttl=0.5)
        late = await control.send_message(
            user="bob", platform=PLATFORM, text="x", ttl=0.5, wait_for="acked", timeout=30
        )
        assert (queued["outcome"], late["outcome"]) == ("QUEUED", "EXPIRED")
        await site.router.kill()
        await site.router.start()
        clients = [SdkClient(shared, name, site.url(0)) for name in ("alice", "bob")]
        async with connected_clients(clients):
            write_to_all(clients[0], ["bob"])
            await content(shared)
            assert clients[1].strange == []


async def test_a_full_mailbox_refuses_and_keeps_what_it_took(tmp_path: Path) -> None:
    shared = SharedOracle(Oracle(excused=EXCUSED))
    room = 20
    async with site_with(tmp_path, **{"mailbox-messages": room}) as site:
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice]):
            write_to_all(alice, ["bob-sdk"])
            await told(shared)
            figures = shared.oracle.figures
            assert (figures["acknowledged"], figures["refused"]) == (room, LETTERS - room)
            async with connected_clients([chat_client(shared, "bob-sdk", site.url(0))]):
                await content(shared)
                write_to_all(alice, ["bob-sdk"])
                await content(shared)
    assert shared.oracle.figures["refused"] == LETTERS - room
