"""Deliveries that an edge is not done with."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import BridgeOutcome, Outcomes, Want
from maim_router.bridge.in_flight import InFlight, Returned
from maim_router.bridge.outbound import Delivery, Origin, Outgoing
from maim_router.bridge.outcomes import DeliveryTracker, Outcome
from maim_router.events import Relay
from tests.router.builders import inbound, session

GONE, SLOW = BridgeOutcome.GONE, BridgeOutcome.SLOW


def relay(number: int) -> Relay:
    return Relay(session(), inbound(number))


def delivery(
    number: int, *conns: int, origin: Origin = None, from_mailbox: bool = False
) -> Delivery:
    message = Outgoing(f"m{number}", "sys_std", b"{}", 1.0, "alice", "qq", "bob", "wx", number)
    return Delivery(message, conns or (7,), origin, Want.DONE, from_mailbox=from_mailbox)


def numbers(returned: list[Returned]) -> list[tuple[int, tuple[int, ...], bool]]:
    return [(one.delivery.message.number, tuple(one.conns), one.taken) for one in returned]


def test_what_is_taken_is_kept_until_it_is_done() -> None:
    in_flight = InFlight()
    one = relay(1)
    assert in_flight.send([delivery(1, origin=one)]) == 1
    assert in_flight.take(1) == [one]
    assert numbers(in_flight.lose()) == [(1, (7,), True)]


def test_what_is_done_is_forgotten() -> None:
    in_flight = InFlight()
    sent = delivery(1, origin=relay(1))
    in_flight.send([sent])
    in_flight.take(1)
    assert in_flight.finish([(1, 1)]) == ([], [sent], [])
    assert in_flight.lose() == []


def test_what_a_connection_did_not_get_comes_back() -> None:
    in_flight = InFlight()
    in_flight.send([delivery(1, 7), delivery(2, 7, 8), delivery(3, 8)])
    in_flight.take(2)
    returned = in_flight.hear(Outcomes([1, 2, 3], [7, 7, 8], [GONE, SLOW, GONE]))
    assert numbers(returned) == [(1, (7,), True), (2, (7,), True), (3, (8,), False)]
    assert [one.slow for one in returned] == [False, True, False]


def test_a_letter_that_came_back_in_part_did_not_arrive() -> None:
    in_flight = InFlight()
    sent = delivery(1, 7, 8, from_mailbox=True)
    in_flight.send([sent])
    in_flight.hear(Outcomes([1], [7], [GONE]))
    assert in_flight.finish([(1, 1)]) == ([], [], [sent])


def test_what_is_too_large_or_was_dropped_does_not_come_back() -> None:
    in_flight = InFlight()
    in_flight.send([delivery(1), delivery(2)])
    codes = [BridgeOutcome.TOO_LARGE, BridgeOutcome.DROPPED]
    assert in_flight.hear(Outcomes([1, 2], [7, 7], codes)) == []


def test_a_message_that_nobody_keeps_is_only_reported() -> None:
    in_flight = InFlight()
    tracker = DeliveryTracker()
    edge_tracker = tracker.add_edge({7: "uuid-7"}, Want.PASSING)
    message = Outgoing("m", "sys_std", b"{}", 1.0, "server")
    in_flight.send([Delivery(message, (7,), edge_tracker, Want.PASSING)])
    assert in_flight.hear(Outcomes([1], [7], [GONE])) == []
    assert tracker.outcomes == {"uuid-7": Outcome.NO_CONNECTION}


def test_a_connection_that_is_replaced_gives_everything_back_once() -> None:
    in_flight = InFlight()
    in_flight.send([delivery(1, 7), delivery(2, 8), delivery(3, 7, 8)])
    in_flight.take(1)
    assert numbers(in_flight.reclaim(7)) == [(1, (7,), True), (3, (7,), False)]
    assert numbers(in_flight.lose()) == [(2, (8,), False), (3, (8,), False)]


async def test_an_acknowledgement_that_will_not_come_is_not_waited_for() -> None:
    in_flight = InFlight()
    tracker = DeliveryTracker()
    edge_tracker = tracker.add_edge({7: "uuid-7"}, Want.ACKED)
    message = Outgoing("m", "sys_std", b"{}", 1.0, "server", target_user="bob", number=1)
    in_flight.send([Delivery(message, (7,), edge_tracker, Want.ACKED)])
    in_flight.hear(Outcomes([1], [7], [BridgeOutcome.WRITTEN]))
    in_flight.finish([(1, 1)])
    await tracker.wait(60)
    assert tracker.outcomes == {"uuid-7": Outcome.WRITTEN}


def test_ranges_out_of_order_are_an_error() -> None:
    with pytest.raises(ValueError, match="rising order"):
        InFlight().finish([(5, 6), (1, 2)])
