"""What became of a message: ledgers, reports, results."""

from __future__ import annotations

import asyncio

import pytest

from maim_router.delivery import DeliveryReport, DeliveryResult, Ledger, Outcome


def test_it_is_taken_when_the_last_edge_has_it() -> None:
    heard: list[bool] = []
    ledger = Ledger(heard.append)
    ledger.expect()
    ledger.expect()
    ledger.taken(by_edge=True)
    assert heard == []
    ledger.taken(by_edge=False)
    assert heard == [True]


def test_it_is_not_taken_when_every_edge_was_lost() -> None:
    heard: list[bool] = []
    ledger = Ledger(heard.append)
    ledger.expect()
    ledger.taken(by_edge=False)
    assert heard == [False]


async def test_waiting_ends_with_the_last_word_on_every_connection() -> None:
    ledger = Ledger()
    ledger.expect(["a", "b"])
    waiting = asyncio.ensure_future(ledger.wait(60))
    await asyncio.sleep(0)
    ledger.note("a", Outcome.WRITTEN, last=True)
    ledger.note("b", Outcome.WRITTEN, last=False)
    await asyncio.sleep(0)
    assert not waiting.done()
    ledger.note("b", Outcome.ACKED, last=True)
    async with asyncio.timeout(10):
        await waiting
    assert ledger.outcomes == {"a": Outcome.WRITTEN, "b": Outcome.ACKED}


async def test_nothing_to_wait_for_ends_at_once() -> None:
    async with asyncio.timeout(10):
        await Ledger().wait(60)


async def test_waiting_ends_after_its_time() -> None:
    ledger = Ledger()
    ledger.expect(["a"])
    await ledger.wait(0)
    assert ledger.outcomes == {}


def test_a_lost_connection_keeps_what_was_known_of_it() -> None:
    ledger = Ledger()
    ledger.expect(["a", "b", "c"])
    ledger.note("a", Outcome.WRITTEN, last=False)
    ledger.note("c", Outcome.SLOW, last=True)
    for uuid in "abc":
        ledger.lose(uuid)
    assert ledger.outcomes == {
        "a": Outcome.WRITTEN,
        "b": Outcome.EDGE_UNREACHABLE,
        "c": Outcome.SLOW,
    }


def test_nothing_is_said_of_a_connection_that_nobody_asked_about() -> None:
    ledger = Ledger()
    ledger.expect()
    ledger.lose("a")
    assert ledger.outcomes == {}


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
