"""The router dies again and again while two hundred clients talk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.client_load import gathered
from tests.faults.conftest import Tell
from tests.faults.site import Site, running_site

CLIENTS = 200
KILLS = 10

pytestmark = pytest.mark.timeout(300)


async def lose_router(site: Site) -> None:
    """Kill the router and bring it back; returns when every edge is attached again."""
    since = [len(edge.service.lines) for edge in site.edges]
    await site.router.kill()
    await site.router.start()
    for edge, lines in zip(site.edges, since, strict=True):
        await edge.service.logged("attached to", since=lines)


@pytest.mark.parametrize("bridge", ["http2", "grpc"])
async def test_ten_kills_of_the_router_close_no_socket_and_lose_nothing(
    tmp_path: Path, tell: Tell, bridge: str
) -> None:
    router = {"mailbox": f"sqlite:///{tmp_path}/letters.db", "bridge": bridge}
    kills = KILLS if bridge == "http2" else 2
    async with (
        running_site(tmp_path, router=router, edge={"bridge": bridge}) as site,
        gathered(site, CLIENTS) as load,
    ):
        async with load.talking():
            for _ in range(kills):
                await load.some_more()
                await lose_router(site)
            await load.some_more()
        await load.come_right()
        done = f"{kills} kills of the router over {bridge}, {CLIENTS} clients"
        tell(f"{done}: {load.oracle.summary}; {len(load.ends)} sockets closed")
        assert load.ends == []
