"""What became of a message: ledgers, reports, results."""

from __future__ import annotations

import asyncio

import pytest

from maim_protocol.bridge.frames import BridgeOutcome, Want
from maim_router.bridge.outcomes import DeliveryReport, DeliveryResult, DeliveryTracker, Outcome

WRITTEN = BridgeOutcome.WRITTEN


def test_it_is_taken_when_the_last_edge_has_it() -> None:
    heard: list[bool] = []
    tracker = DeliveryTracker(heard.append)
    tracker.expect()
    tracker.expect()
    tracker.taken(by_edge=True)
    assert heard == []
    tracker.taken(by_edge=False)
    assert heard == [True]


def test_it_is_not_taken_when_every_edge_was_lost() -> None:
    heard: list[bool] = []
    tracker = DeliveryTracker(heard.append)
    tracker.expect()
    tracker.taken(by_edge=False)
    assert heard == [False]


async def ended(waiting: asyncio.Future[None]) -> bool:
    """Let the loop turn and see whether the waiting is over."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return waiting.done()


async def test_waiting_ends_with_the_last_word_on_every_connection() -> None:
    tracker = DeliveryTracker()
    one = tracker.add_edge({1: "a", 2: "b"}, Want.WRITTEN)
    two = tracker.add_edge({1: "c"}, Want.ACKED)
    waiting = asyncio.ensure_future(tracker.wait(60))
    one.hear({1: WRITTEN})
    one.hear({1: WRITTEN})
    two.hear({1: WRITTEN})
    assert not await ended(waiting)
    one.hear({2: BridgeOutcome.SLOW})
    assert not await ended(waiting)
    two.hear({1: BridgeOutcome.ACKED})
    async with asyncio.timeout(10):
        await waiting
    assert tracker.outcomes == {"a": Outcome.WRITTEN, "b": Outcome.SLOW, "c": Outcome.ACKED}


async def test_one_report_may_speak_for_everybody() -> None:
    tracker = DeliveryTracker()
    edge_tracker = tracker.add_edge({1: "a", 2: "b"}, Want.WRITTEN)
    edge_tracker.hear({1: WRITTEN, 2: BridgeOutcome.GONE})
    edge_tracker.hear({1: WRITTEN})
    async with asyncio.timeout(10):
        await tracker.wait(60)
    assert tracker.outcomes == {"a": Outcome.WRITTEN, "b": Outcome.NO_CONNECTION}


async def test_an_ack_may_come_with_its_write_and_before_another_one() -> None:
    tracker = DeliveryTracker()
    edge_tracker = tracker.add_edge({1: "a", 2: "b"}, Want.ACKED)
    edge_tracker.hear({1: BridgeOutcome.ACKED, 2: WRITTEN})
    waiting = asyncio.ensure_future(tracker.wait(60))
    assert not await ended(waiting)
    edge_tracker.hear({2: BridgeOutcome.TOO_LARGE})
    async with asyncio.timeout(10):
        await waiting
    assert tracker.outcomes == {"a": Outcome.ACKED, "b": Outcome.TOO_LARGE}


async def test_what_is_said_of_strangers_ends_nothing() -> None:
    tracker = DeliveryTracker()
    edge_tracker = tracker.add_edge({1: "a"}, Want.WRITTEN)
    edge_tracker.hear({7: WRITTEN, 8: WRITTEN})
    await tracker.wait(0)
    assert tracker.outcomes == {}
    edge_tracker.hear({1: WRITTEN, 7: WRITTEN})
    async with asyncio.timeout(10):
        await tracker.wait(60)
    assert tracker.outcomes == {"a": Outcome.WRITTEN}


@pytest.mark.parametrize("uuids", [None, {}])
async def test_nothing_to_wait_for_ends_at_once(uuids: dict[int, str] | None) -> None:
    tracker = DeliveryTracker()
    if uuids is not None:
        tracker.add_edge(uuids, Want.WRITTEN).hear({})
    tracker.add_edge({1: "a"}, Want.DONE)
    async with asyncio.timeout(10):
        await tracker.wait(60)


async def test_waiting_ends_after_its_time() -> None:
    tracker = DeliveryTracker()
    tracker.add_edge({1: "a"}, Want.WRITTEN)
    await tracker.wait(0)
    assert tracker.outcomes == {}


async def test_a_lost_connection_keeps_what_was_known_of_it() -> None:
    heard: list[bool] = []
    tracker = DeliveryTracker(heard.append)
    edge_tracker = tracker.add_edge({1: "a", 2: "b", 3: "c"}, Want.ACKED)
    edge_tracker.hear({1: WRITTEN})
    edge_tracker.hear({3: BridgeOutcome.SLOW})
    edge_tracker.lose()
    edge_tracker.lose()
    assert tracker.outcomes == {
        "a": Outcome.WRITTEN,
        "b": Outcome.EDGE_UNREACHABLE,
        "c": Outcome.SLOW,
    }
    async with asyncio.timeout(10):
        await tracker.wait(60)
    assert heard == [False]


def test_an_edge_takes_a_message_once() -> None:
    heard: list[bool] = []
    tracker = DeliveryTracker(heard.append)
    one, two = (tracker.add_edge({1: "a"}, Want.DONE) for _ in range(2))
    one.taken(by_edge=True)
    one.taken(by_edge=True)
    one.lose()
    assert heard == []
    two.lose()
    assert heard == [True]


def test_nothing_is_said_of_a_connection_that_nobody_asked_about() -> None:
    tracker = DeliveryTracker()
    tracker.add_edge({1: "a"}, Want.DONE).lose()
    assert tracker.outcomes == {}


def test_a_result_says_whom_it_reached() -> None:
    report = DeliveryReport("m", "u", {"a": Outcome.WRITTEN, "b": Outcome.SLOW})
    result = DeliveryResult(report)
    assert result == {"a": True, "b": False}
    assert result.report is report


@pytest.mark.parametrize(
    ("outcomes", "best"),
    [
        ([], Outcome.NO_CONNECTION),
        ([Outcome.SLOW, Outcome.WRITTEN], Outcome.WRITTEN),
        ([Outcome.WRITTEN, Outcome.ACKED], Outcome.ACKED),
        ([Outcome.EDGE_UNREACHABLE], Outcome.EDGE_UNREACHABLE),
    ],
)
def test_the_outcome_of_a_report_is_the_best_of_all(outcomes: list[Outcome], best: Outcome) -> None:
    report = DeliveryReport("m", outcomes={str(n): out for n, out in enumerate(outcomes)})
    assert report.outcome is best
