"""Clients that read slowly or never: memory is bounded, and others go on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect

from tests.faults.chat_client import chat_client, connected_clients
from tests.faults.conftest import Tell
from tests.faults.latencies import of_all, percentile
from tests.faults.oracle import Oracle
from tests.faults.sdk_client import SdkClient
from tests.faults.shared_oracle import SharedOracle
from tests.faults.site import Site, running_site
from tests.faults.wire import PLATFORM

MIB = 1 << 20
LETTERS = 50
OUTBOX_BYTES = 4 * MIB
MAILBOX_BYTES = 8 * MIB
# What one client may leave unanswered (edge and router keep it), what its sender may have
# unsettled, and a large message as chunks, as a whole and encoded.
KEPT_BYTES = OUTBOX_BYTES + 16 * MIB
UNSETTLED_BYTES = 8 * MIB
ROOM_BYTES = 8 * MIB
BOUND_BYTES = KEPT_BYTES + MAILBOX_BYTES + UNSETTLED_BYTES + ROOM_BYTES

pytestmark = pytest.mark.timeout(180)


def memory(site: Site) -> list[int]:
    return [process.resident_bytes() for process in (site.router, *site.edges)]


def grown(before: list[int], after: list[int]) -> list[int]:
    return [now - then for then, now in zip(before, after, strict=True)]


def shown(sizes: list[int]) -> str:
    return f"router +{sizes[0] / MIB:.1f}, edge +{sizes[1] / MIB:.1f} MiB"


async def send_all(shared: SharedOracle, sender: SdkClient, receiver: str) -> None:
    """Send 50 MiB and wait until each letter is answered for."""
    for _ in range(LETTERS):
        sender.say(receiver, MIB)
    await shared.until(lambda: not shared.oracle.unanswered)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("bridge", ["http2", "grpc"])
async def test_who_never_reads_costs_no_more_memory_than_is_configured_and_loses_nothing(
    tmp_path: Path, tell: Tell, bridge: str
) -> None:
    shared = SharedOracle(Oracle(excused=["mailbox_full"]))
    limits = {"outbox-bytes": OUTBOX_BYTES, "bridge": bridge}
    boxes = {"mailbox-bytes": MAILBOX_BYTES, "bridge": bridge}
    query = urlencode({"api_key": "deaf", "platform": PLATFORM})
    async with running_site(tmp_path, edges=1, router=boxes, edge=limits) as site:
        url = site.url(0, proxy=False)
        alice, joe, deaf = (SdkClient(shared, name, url) for name in ("alice", "joe", "deaf"))
        async with connected_clients([alice, joe]):
            async with connect(f"{url}?{query}", max_queue=1, ping_interval=None):
                idle = memory(site)
                await send_all(shared, alice, "joe")  # what so much costs in any case
                before = memory(site)
                calm = await of_all(url, "calm", 10, 100)
                busy = asyncio.create_task(of_all(url, "busy", 10, 100))
                await send_all(shared, alice, "deaf")
                after = memory(site)
                p99 = percentile(calm, 99), percentile(await busy, 99)
            async with connected_clients([deaf]), asyncio.timeout(60):
                await shared.until(lambda: shared.oracle.content)
    tell(
        f"{LETTERS} MiB over {bridge}: for a reader {shown(grown(idle, before))}; then for who "
        f"never reads {shown(grown(before, after))} at most (bound {BOUND_BYTES / MIB:.0f}); p99 "
        f"of 10 others {p99[0]:.1f} ms before, {p99[1]:.1f} during; {shared.oracle.summary}"
    )
    assert shared.oracle.broken == []
    assert max(grown(idle, after)) < BOUND_BYTES


async def test_who_reads_slowly_gets_everything_in_the_end(tmp_path: Path) -> None:
    shared = SharedOracle(Oracle({"bob-plain": 5, "eve-silent": 5}, ["mailbox_full"]))
    async with running_site(tmp_path, router={"mailbox-bytes": 64 * MIB}) as site:
        site.client_proxies[1].limit(2 * MIB)
        slow = [chat_client(shared, n, site.url(1)) for n in ("bob-plain", "eve-silent", "joe-sdk")]
        alice = SdkClient(shared, "alice", site.url(0))
        async with connected_clients([alice, *slow]), asyncio.timeout(120):
            for _ in range(100):
                for each in slow:
                    alice.say(each.name, 32 << 10)
            await shared.until(lambda: shared.oracle.content)
    assert shared.oracle.broken == []
