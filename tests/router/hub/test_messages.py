"""What the hub decides of messages, a sentence each."""

from __future__ import annotations

import pytest

from maim_protocol.errors import ErrorCode
from maim_router import events as ev
from maim_router.events import Address, EdgeKey
from tests.router.builders import EDGE, asked, inbound, live, received
from tests.router.hub.desk import Desk

AT = Address(EDGE, 1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_message_without_handler_is_relayed(desk: Desk) -> None:
    session = desk.opened()
    assert desk.received(1) == [ev.Relay(session, inbound(1))]


def test_a_message_with_a_handler_is_dispatched(desk: Desk) -> None:
    session = desk.opened()
    desk.handled.update({"sys_std", "custom_x"})
    assert desk.received(1) == [ev.Dispatch(session, inbound(1))]
    custom = inbound(2, "m2", "custom_x")
    assert desk.step(received(custom)) == [ev.Dispatch(session, custom)]


def test_a_message_that_nobody_takes_is_rejected_and_may_be_tried_again(desk: Desk) -> None:
    desk.opened()
    (reject,) = desk.received(1, type="custom_x", key="")
    assert isinstance(reject, ev.Reject)
    assert (reject.ordinal, reject.code) == (1, ErrorCode.UNKNOWN_TYPE)
    desk.handled.add("custom_x")
    (dispatch,) = desk.received(2, type="custom_x", key="")
    assert isinstance(dispatch, ev.Dispatch)


def test_a_message_before_the_admission_is_rejected(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    (reject,) = desk.received(1)
    assert isinstance(reject, ev.Reject)
    desk.step(ev.Authenticated(AT, "alice"))
    (reject,) = desk.received(2)
    assert isinstance(reject, ev.Reject)


def test_every_sender_of_a_running_message_gets_its_end(desk: Desk) -> None:
    desk.opened(1)
    desk.opened(2)
    relay = desk.relayed(1)
    assert desk.received(2, conn=2) == []
    assert desk.step(ev.Settled([relay])) == [ev.Settle(EDGE, [1, 2])]
    assert desk.received(3) == [ev.Settle(EDGE, (3,))]
    assert desk.hub.counters.duplicate_messages_ignored == 2


def test_what_a_delivery_settled_is_told_to_nobody_but_its_other_senders(desk: Desk) -> None:
    other = EdgeKey("edge-2", 1)
    (register,) = desk.step(ev.EdgeAttached(other, [live(1)]))
    assert isinstance(register, ev.Register)
    desk.opened(1)
    desk.opened(2)
    desk.step(ev.Registered(register.session))
    relay = desk.relayed(1)
    assert desk.received(2, conn=2) == []
    assert desk.step(ev.Received(other, [inbound(1)])) == []
    assert desk.step(ev.Settled([relay], told=EDGE)) == [
        ev.Settle(EDGE, [2]),
        ev.Settle(other, [1]),
    ]


def test_another_edge_that_took_a_message_tells_its_sender_nothing(desk: Desk) -> None:
    desk.opened()
    relay = desk.relayed(1)
    assert desk.step(ev.Settled([relay], told=EdgeKey("edge-2", 1))) == [ev.Settle(EDGE, [1])]


def test_what_a_delivery_settled_is_a_duplicate_when_it_comes_again(desk: Desk) -> None:
    desk.opened()
    relay = desk.relayed(1)
    assert desk.step(ev.Settled([relay], told=EDGE)) == []
    assert desk.received(1) == [ev.Settle(EDGE, (1,))]


def test_a_duplicate_in_the_same_frame_waits_for_the_first(desk: Desk) -> None:
    session = desk.opened()
    relay = ev.Relay(session, inbound(1))
    assert desk.step(received(inbound(1), inbound(2))) == [relay]
    assert desk.step(ev.Settled([relay])) == [ev.Settle(EDGE, [1, 2])]


def test_what_ends_together_is_settled_together(desk: Desk) -> None:
    session = desk.opened()
    messages = [inbound(ordinal, str(ordinal)) for ordinal in (1, 2, 3)]
    relays = desk.step(received(*messages))
    assert relays == [ev.Relay(session, message) for message in messages]
    ended = [relay for relay in relays if isinstance(relay, ev.Relay)]
    assert desk.step(ev.Settled(ended)) == [ev.Settle(EDGE, [1, 2, 3])]


def test_a_failed_message_is_rejected_to_everybody_and_may_be_tried_again(desk: Desk) -> None:
    session = desk.opened()
    relay = desk.relayed(1)
    desk.received(2)
    failed = ev.Failed(relay, ErrorCode.NO_ROUTE, "nobody")
    rejected = [ev.Reject(EDGE, n, ErrorCode.NO_ROUTE, "nobody") for n in (1, 2)]
    assert desk.step(failed) == rejected
    assert desk.received(3) == [ev.Relay(session, inbound(3))]


def test_the_same_id_of_two_users_is_two_messages(desk: Desk) -> None:
    desk.opened(1)
    bob = desk.opened(2, "bob")
    desk.received(1)
    assert desk.received(2, conn=2) == [ev.Relay(bob, inbound(2, conn=2))]


def test_messages_without_an_id_are_never_duplicates(desk: Desk) -> None:
    session = desk.opened()
    first, second = (ev.Relay(session, inbound(ordinal, "")) for ordinal in (1, 2))
    assert desk.step(received(first.message, second.message)) == [first, second]
    assert desk.step(ev.Settled([second])) == [ev.Settle(EDGE, [2])]
    failed = ev.Failed(first, ErrorCode.INTERNAL, "x")
    assert desk.step(failed) == [ev.Reject(EDGE, 1, ErrorCode.INTERNAL, "x")]


def test_an_id_may_come_again_after_the_window(desk: Desk) -> None:
    session = desk.opened()
    desk.step(ev.Settled([desk.relayed(1)]))
    assert desk.step(received(inbound(2)), now=601) == [ev.Relay(session, inbound(2))]
