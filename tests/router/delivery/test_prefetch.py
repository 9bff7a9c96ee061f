"""Long waits in the mailbox, and how they come to an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from maim_protocol.bridge.frames import EdgeFrame
from maim_router.bridge.outcomes import Outcome
from maim_router.bridge.prefetch import PREFETCH_LETTERS
from maim_router.mailbox import Bounds, MemoryMailbox
from tests.router.letters import BOB, gone, ids, make, running
from tests.router.memory_edge import MemoryEdge


@asynccontextmanager
async def waiting(count: int, most: int = 0) -> AsyncIterator[MemoryEdge]:
    """An edge with alice as connection 1, who has sent bob so many messages of `most`."""
    mailbox = MemoryMailbox(Bounds(most or 2 * count, 1_000_000, 1_000_000))
    async with running(make(mailbox)) as node:
        edge = await MemoryEdge(node).attach()
        await edge.admitted(1, "alice")
        for number in range(count):
            edge.message(1, f"m{number}", BOB)
            assert isinstance(await edge.hear(), int)
        yield edge


async def test_a_long_wait_is_delivered_a_slice_at_a_time_and_newer_messages_behind_it() -> None:
    count = PREFETCH_LETTERS + 10
    async with waiting(count) as edge:
        await edge.admitted(2, "bob")
        assert await ids(edge, PREFETCH_LETTERS) == [f"m{n}" for n in range(PREFETCH_LETTERS)]
        edge.message(1, "newer", BOB)
        assert isinstance(await edge.hear(), int)
        await edge.nothing()
        edge.send(EdgeFrame(taken_through=PREFETCH_LETTERS, done=[(1, PREFETCH_LETTERS)]))
        rest = [f"m{n}" for n in range(PREFETCH_LETTERS, count)]
        assert await ids(edge, 11) == [*rest, "newer"]
        edge.message(1, "newest", BOB)
        got = await edge.delivered()
        assert (got.msg_id, got.settles > 0) == ("newest", True)


async def test_who_was_here_misses_nothing_while_another_one_catches_up() -> None:
    async with waiting(PREFETCH_LETTERS + 1) as edge:
        await edge.admitted(2, "bob")
        await ids(edge, PREFETCH_LETTERS)
        await edge.admitted(3, "bob")
        edge.message(1, "newer", BOB)
        await edge.hear()
        edge.send(EdgeFrame(taken_through=PREFETCH_LETTERS, done=[(1, PREFETCH_LETTERS)]))
        got = [await edge.delivered() for _ in range(3)]
        assert [(one.msg_id, one.conns) for one in got] == [
            (f"m{PREFETCH_LETTERS}", (2,)),
            ("newer", (2,)),
            ("newer", (3,)),
        ]


async def test_when_who_catches_up_leaves_the_next_one_goes_on() -> None:
    async with waiting(PREFETCH_LETTERS + 1) as edge:
        await edge.admitted(2, "bob")
        got = [await edge.delivered() for _ in range(PREFETCH_LETTERS)]
        edge.close(2, 1006)
        for one in got:
            edge.send(gone(one, 2))
        await edge.nothing()
        await edge.admitted(3, "bob")
        assert await ids(edge, PREFETCH_LETTERS) == [f"m{n}" for n in range(PREFETCH_LETTERS)]


async def test_a_full_mailbox_before_a_receiver_who_catches_up_is_reported_as_slow() -> None:
    count = PREFETCH_LETTERS + 1
    async with waiting(count, most=count) as edge:
        admission = await edge.admitted(2, "bob")
        report = await edge.node.messenger.send(b"{}", user_id="bob", platform="qq")
        assert report.outcomes == {admission.connection_uuid: Outcome.SLOW}


async def test_a_slice_is_no_larger_than_what_the_edge_holds_for_a_client() -> None:
    mailbox = MemoryMailbox(Bounds(20, 1_000_000, 1_000_000))
    async with running(make(mailbox)) as node:
        edge = MemoryEdge(node)
        hello = replace(edge.hello(), outbox_bytes=1_000)
        edge.send(EdgeFrame(hello=hello))
        await edge.hear()
        await edge.admitted(1, "alice")
        for number in range(8):
            edge.message(1, f"m{number}", BOB, payload=b'{"text": "%s"}' % bytes(200))
            assert isinstance(await edge.hear(), int)
        await edge.admitted(2, "bob")
        assert await ids(edge, 3) == ["m0", "m1", "m2"]
        await edge.nothing()
        edge.send(EdgeFrame(taken_through=1, done=[(1, 1)]))
        assert await ids(edge, 1) == ["m3"]
        await edge.nothing()
