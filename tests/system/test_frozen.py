"""A process that is stopped where it stands: nobody hears that it is gone, and it is found."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.system.pair import running_pair

# As the specification has it; the rest is for a machine that has other things to do.
LEASE_SECONDS = 10.0
SLACK_SECONDS = 2.0


async def seconds_until_a_frozen_edge_is_lost(router_bridge: str, edge_bridge: str) -> float:
    async with running_pair({"bridge": router_bridge}, {"bridge": edge_bridge}) as pair:
        loop = asyncio.get_running_loop()
        async with pair.client("alice", ping_interval=None) as alice:
            pair.edge.process.send_signal(signal.SIGSTOP)
            began = loop.time()
            await pair.router.logged("detached")
            seconds = loop.time() - began
            alice.transport.abort()
        return seconds


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
async def test_a_frozen_edge_is_lost_within_its_lease_whatever_carries_the_bridge() -> None:
    """All at once: they take 10 s each."""
    bridges = ("grpc", "http2")
    seconds = await asyncio.gather(
        *(seconds_until_a_frozen_edge_is_lost(one, other) for one in bridges for other in bridges)
    )
    assert max(seconds) < LEASE_SECONDS + SLACK_SECONDS, seconds
