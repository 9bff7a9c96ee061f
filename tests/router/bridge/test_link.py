"""One attached edge as the router sees it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from maim_protocol.bridge.frames import (
    CHUNK_BYTES,
    Admission,
    BridgeOutcome,
    Chunk,
    DisconnectOrder,
    EdgeFrame,
    EdgeMessages,
    Outcomes,
    Rejection,
    RouterFrame,
    Verdict,
    Want,
)
from maim_protocol.errors import AttachRefused
from maim_router.bridge.link import EdgeLink
from maim_router.bridge.outbound import Delivery, Outgoing
from maim_router.bridge.outcomes import DeliveryTracker, Outcome
from maim_router.events import Relay
from tests.router.builders import HELLO, inbound, session
from tests.router.memory_edge import Stream


def outgoing(payload: bytes = b"{}", msg_id: str = "m") -> Outgoing:
    return Outgoing(msg_id, "sys_std", payload, 1.5, "alice", "qq", "bob", "wx")


class Desk:
    """A link, its stream, and a tracker for each delivery."""

    def __init__(self) -> None:
        self.stream = Stream()
        self.slow: list[int] = []
        self.link = EdgeLink(HELLO, 0.0, self.stream, self.slow.append, print)
        self.taken: list[bool] = []

    def deliver(
        self, *conns: int, want: Want = Want.WRITTEN, payload: bytes = b"{}"
    ) -> DeliveryTracker:
        tracker = DeliveryTracker(self.taken.append)
        uuids = {conn: f"uuid-{conn}" for conn in conns}
        edge_tracker = tracker.add_edge(uuids, want)
        self.link.deliver(Delivery(outgoing(payload), conns, edge_tracker, want))
        return tracker

    def relay(self, ordinal: int, *conns: int, settles: int = 0) -> Relay:
        relay = Relay(session(), inbound(ordinal))
        self.link.deliver(Delivery(outgoing(), conns, relay, settles=settles))
        return relay

    async def frames(self) -> list[RouterFrame]:
        """What was written since the last call."""
        await self.link.idle()
        return [self.stream.down.get_nowait() for _ in range(self.stream.down.qsize())]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    running = asyncio.ensure_future(desk.link.run())
    desk.link.welcome("router-1")
    async with asyncio.timeout(20):
        await desk.frames()
        yield desk
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_the_welcome_goes_first_and_alone() -> None:
    desk = Desk()
    desk.deliver(1)
    desk.link.settle([1])
    running = asyncio.ensure_future(desk.link.run())
    assert await desk.frames() == []
    desk.link.welcome("router-1")
    first, second = await desk.frames()
    assert first.welcome is not None
    assert (first.deliveries, first.settled) == (None, [])
    assert second.deliveries is not None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_gathers_leaves_in_one_frame(desk: Desk) -> None:
    desk.link.answer(1, Admission("u", "alice"))
    desk.link.settle([3])
    desk.link.settle([1, 2])
    desk.link.reject(9, "no_route", "nobody")
    desk.link.disconnect(4, 4000, "bye")
    desk.deliver(1, 2)
    (frame,) = await desk.frames()
    assert frame.verdicts == [Verdict(1, Admission("u", "alice"))]
    assert frame.settled == [(1, 3)]
    assert frame.rejections == [Rejection(9, "no_route", "nobody")]
    assert frame.disconnects == [DisconnectOrder(4, 4000, "bye")]
    columns = frame.deliveries
    assert columns is not None
    assert (columns.ordinals, columns.fanouts, columns.conns) == ([1], [2], [1, 2])
    assert (columns.sender_users, columns.target_users) == (["alice"], ["bob"])
    assert (columns.payloads, columns.wants) == ([b"{}"], [Want.WRITTEN])
    assert (columns.transfers, columns.settles) == ([], [])


async def test_columns_that_would_say_nothing_are_left_out(desk: Desk) -> None:
    desk.relay(1, 1)
    desk.relay(2, 2, settles=5)
    (frame,) = await desk.frames()
    columns = frame.deliveries
    assert columns is not None
    assert (columns.fanouts, columns.conns) == ([], [1, 2])
    assert (columns.wants, columns.transfers) == ([], [])
    assert columns.settles == [0, 5]


async def test_a_relay_is_taken_once_and_then_forgotten(desk: Desk) -> None:
    relays = [desk.relay(ordinal, 1) for ordinal in (1, 2, 3)]
    await desk.frames()
    assert desk.link.on_reports(EdgeFrame(taken_through=2)).taken == relays[:2]
    assert not desk.link.on_reports(EdgeFrame(taken_through=2, done=[(1, 2)])).taken
    assert desk.link.on_reports(EdgeFrame(taken_through=3, done=[(3, 3)])).taken == relays[2:]


async def test_a_relay_that_is_done_before_it_is_taken_is_taken(desk: Desk) -> None:
    relays = [desk.relay(ordinal, 1) for ordinal in (1, 2, 3)]
    await desk.frames()
    assert desk.link.on_reports(EdgeFrame(done=[(2, 2)])).taken == [relays[1]]
    assert not desk.link.on_reports(EdgeFrame(done=[(2, 2)])).taken
    assert desk.link.on_reports(EdgeFrame(taken_through=3)).taken == [relays[0], relays[2]]


async def test_losing_the_edge_gives_everything_back_that_is_not_done(desk: Desk) -> None:
    relays = [desk.relay(ordinal, 1) for ordinal in (1, 2, 3)]
    await desk.frames()
    desk.link.on_reports(EdgeFrame(taken_through=1, done=[(3, 3)]))
    waiting = desk.relay(4, 1)
    assert [(one.delivery.origin, one.taken) for one in desk.link.lose()] == [
        (relays[0], True),
        (relays[1], False),
        (waiting, False),
    ]


async def test_a_large_payload_leaves_in_chunks_and_a_close_waits_behind_it(desk: Desk) -> None:
    payload = bytes(9 * CHUNK_BYTES)
    desk.deliver(1, payload=payload)
    desk.link.disconnect(1, 4000, "bye")
    frames = await desk.frames()
    assert len(frames) > 1
    assert b"".join(chunk.data for frame in frames for chunk in frame.chunks) == payload
    assert [bool(frame.disconnects) for frame in frames] == [False] * (len(frames) - 1) + [True]


async def test_a_delivery_is_taken_when_the_edge_says_so(desk: Desk) -> None:
    desk.deliver(1)
    desk.deliver(2)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(taken_through=1))
    assert desk.taken == [True]
    desk.link.on_reports(EdgeFrame(taken_through=1))
    desk.link.on_reports(EdgeFrame(taken_through=0))
    assert desk.taken == [True]
    desk.link.on_reports(EdgeFrame(taken_through=99))
    assert desk.taken == [True, True]


async def test_an_edge_cannot_take_what_was_not_sent_yet(desk: Desk) -> None:
    desk.link.on_reports(EdgeFrame(taken_through=10**9, done=[(1, 10**18)]))
    desk.deliver(1)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(taken_through=1))
    assert desk.taken == [True]


async def test_what_is_done_was_taken(desk: Desk) -> None:
    desk.deliver(1)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(done=[(1, 1)]))
    desk.link.on_reports(EdgeFrame(taken_through=1, done=[(1, 1)]))
    assert desk.taken == [True]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (BridgeOutcome.WRITTEN, Outcome.WRITTEN),
        (BridgeOutcome.GONE, Outcome.NO_CONNECTION),
        (BridgeOutcome.SLOW, Outcome.SLOW),
        (BridgeOutcome.TOO_LARGE, Outcome.TOO_LARGE),
    ],
)
async def test_outcomes_reach_the_ledger(desk: Desk, said: int, outcome: Outcome) -> None:
    tracker = desk.deliver(1)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(outcomes=Outcomes([1], [1], [said])))
    await tracker.wait(60)
    assert tracker.outcomes == {"uuid-1": outcome}


async def test_a_write_is_not_the_last_word_when_an_ack_is_wanted(desk: Desk) -> None:
    tracker = desk.deliver(1, want=Want.ACKED)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(outcomes=Outcomes([1], [1], [BridgeOutcome.WRITTEN])))
    await tracker.wait(0)
    assert tracker.outcomes == {"uuid-1": Outcome.WRITTEN}
    desk.link.on_reports(EdgeFrame(outcomes=Outcomes([1], [1], [BridgeOutcome.ACKED])))
    await tracker.wait(60)
    assert tracker.outcomes == {"uuid-1": Outcome.ACKED}


async def test_outcomes_of_many_deliveries_come_in_one_report(desk: Desk) -> None:
    one, two = desk.deliver(1, 2), desk.deliver(2, 3)
    await desk.frames()
    columns = Outcomes([1, 2, 2, 1], [1, 2, 3, 2], [1, 1, 4, 3])
    desk.link.on_reports(EdgeFrame(taken_through=2, done=[(1, 2)], outcomes=columns))
    for tracker in (one, two):
        await tracker.wait(60)
    assert one.outcomes == {"uuid-1": Outcome.WRITTEN, "uuid-2": Outcome.NO_CONNECTION}
    assert two.outcomes == {"uuid-2": Outcome.WRITTEN, "uuid-3": Outcome.SLOW}


async def test_outcomes_that_nobody_waits_for_do_nothing(desk: Desk) -> None:
    tracker = desk.deliver(1)
    await desk.frames()
    stray = Outcomes([1, 7], [5, 1], [BridgeOutcome.WRITTEN] * 2)
    desk.link.on_reports(EdgeFrame(outcomes=stray))
    assert tracker.outcomes == {}


async def test_losing_the_edge_ends_the_link_and_leaves_nothing_in_it(desk: Desk) -> None:
    desk.deliver(1)
    await desk.frames()
    desk.deliver(3)
    desk.link.disconnect(3, 4000, "")
    assert [one.conns for one in desk.link.lose()] == [(1,), (3,)]
    assert desk.link.lost.is_set()
    assert not desk.link.lose()


@pytest.mark.parametrize(
    "columns",
    [
        EdgeMessages([1, 2], [1], [""], ["t"], [""], [""], [b""], [0]),
        EdgeMessages([1], [1], [""], ["t"], [""], [""], [b""], [77]),
        EdgeMessages([1]),
    ],
    ids=["unequal columns", "unknown transfer", "missing columns"],
)
def test_malformed_messages_refuse_the_edge(columns: EdgeMessages) -> None:
    with pytest.raises(AttachRefused, match="malformed frame: messages"):
        Desk().link.messages(EdgeFrame(messages=columns))


@pytest.mark.parametrize("outcomes", [Outcomes([1], [], []), Outcomes([1], [1], [99])])
def test_malformed_outcomes_refuse_the_edge(outcomes: Outcomes) -> None:
    with pytest.raises(AttachRefused, match="malformed frame: outcomes"):
        Desk().link.on_reports(EdgeFrame(outcomes=outcomes))


@pytest.mark.parametrize("done", [[(2, 1)], [(1, 1), (1, 1)]])
def test_malformed_reports_of_done_refuse_the_edge(done: list[tuple[int, int]]) -> None:
    with pytest.raises(AttachRefused, match="malformed frame: done"):
        Desk().link.on_reports(EdgeFrame(done=done))


async def test_an_edge_that_claims_everything_is_believed_for_what_there_is(desk: Desk) -> None:
    desk.deliver(1)
    desk.deliver(2)
    await desk.frames()
    desk.link.on_reports(EdgeFrame(done=[(0, 2**64 - 1)]))
    assert desk.taken == [True, True]


def test_a_message_in_pieces_is_put_together() -> None:
    link = Desk().link
    assert link.messages(EdgeFrame(chunks=[Chunk(1, b"ab")])) == ()
    columns = EdgeMessages([4], [7], ["m"], ["t"], ["k"], ["p"], [b""], [1])
    (message,) = link.messages(EdgeFrame(chunks=[Chunk(1, b"c")], messages=columns))
    assert (message.conn, message.ordinal, message.payload) == (7, 4, b"abc")
