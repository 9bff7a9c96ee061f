"""The router's decisions, a sentence each."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import Admission
from maim_protocol.errors import Refusal
from maim_router import events as ev
from maim_router.events import Address, EdgeKey, GaveWay, Phase
from maim_router.hub import REPLACED
from tests.router.builders import EDGE, asked, live
from tests.router.hub.desk import Desk

AT = Address(EDGE, 1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_handshake_is_asked_about_first(desk: Desk) -> None:
    assert desk.step(ev.Opened(EDGE, asked(1))) == [ev.Authenticate(AT, asked(1))]


def test_an_authenticated_connection_is_registered_before_it_is_admitted(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    actions = desk.step(ev.Authenticated(AT, "alice"))
    session = desk.session()
    assert actions == [ev.Register(session)]
    assert desk.step(ev.Registered(session)) == [
        ev.Admit(AT, Admission("uuid-1", "alice")),
        ev.NotifyConnected(session),
    ]
    assert session.phase is Phase.OPEN


def test_a_refused_connection_is_told_and_forgotten(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    refused = ev.Refused(AT, Refusal.UNAUTHENTICATED, "no")
    assert desk.step(refused) == [ev.Refuse(AT, Refusal.UNAUTHENTICATED, "no")]
    assert desk.hub.session(AT) is None
    assert desk.step(refused) == []


def test_a_client_that_leaves_during_auth_is_never_admitted(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    assert desk.step(ev.Closed(AT, 1006)) == []
    assert desk.step(ev.Authenticated(AT, "alice")) == []


def test_a_client_that_leaves_while_it_is_registered_leaves_the_map(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    desk.step(ev.Authenticated(AT, "alice"))
    session = desk.session()
    assert desk.step(ev.Closed(AT, 1006)) == [ev.Unregister(AT)]
    assert desk.step(ev.Registered(session)) == []


def test_a_close_takes_an_open_connection_out_of_the_map(desk: Desk) -> None:
    session = desk.opened()
    assert desk.step(ev.Closed(AT, 1000, "bye")) == [
        ev.Unregister(AT),
        ev.NotifyDisconnected(session, 1000, "bye"),
    ]
    assert desk.step(ev.Closed(AT, 1000, "bye")) == []


def test_a_handle_that_is_in_use_is_not_opened_again(desk: Desk) -> None:
    session = desk.opened()
    assert desk.step(ev.Opened(EDGE, asked(1, "mallory"))) == []
    assert desk.session() is session


def test_the_older_connection_of_a_label_is_closed_by_the_newer(desk: Desk) -> None:
    old = desk.opened(1)
    desk.step(ev.Opened(EDGE, asked(2)))
    desk.step(ev.Authenticated(Address(EDGE, 2), "alice"))
    new = desk.session(2)
    assert desk.step(ev.Registered(new, ended=[(old.address, GaveWay.LABEL)])) == [
        ev.Disconnect(old.address, 4409, REPLACED),
        ev.NotifyDisconnected(old, 4409, REPLACED, new.uuid),
        ev.Admit(new.address, Admission(new.uuid, "alice")),
        ev.NotifyConnected(new),
    ]
    assert desk.step(ev.Closed(old.address, 4409)) == []


def test_a_restored_connection_that_came_too_late_is_closed(desk: Desk) -> None:
    register = desk.step(ev.EdgeAttached(EDGE, [live(7)]))
    assert isinstance(register[0], ev.Register)
    session = register[0].session
    at = Address(EDGE, 7)
    late = ev.Registered(session, GaveWay.LABEL)
    assert desk.step(late) == [ev.Disconnect(at, 4409, REPLACED)]
    assert desk.step(late) == []


def test_a_restored_connection_keeps_its_identity_and_gets_no_verdict(desk: Desk) -> None:
    (register,) = desk.step(ev.EdgeAttached(EDGE, [live(7, "kept")]))
    assert isinstance(register, ev.Register)
    session = register.session
    assert (session.uuid, session.user_id) == ("kept", "alice")
    assert desk.step(ev.Registered(session)) == [ev.NotifyConnected(session)]


def test_a_connection_that_the_map_cannot_hold_may_come_again(desk: Desk) -> None:
    desk.step(ev.Opened(EDGE, asked(1)))
    desk.step(ev.Authenticated(AT, "alice"))
    session = desk.session()
    (refuse,) = desk.step(ev.NotRegistered(session))
    assert isinstance(refuse, ev.Refuse)
    assert refuse.code is Refusal.ROUTER_UNAVAILABLE
    assert desk.step(ev.NotRegistered(session)) == []


def test_a_restored_connection_that_the_map_cannot_hold_is_closed(desk: Desk) -> None:
    (register,) = desk.step(ev.EdgeAttached(EDGE, [live(7)]))
    assert isinstance(register, ev.Register)
    (order,) = desk.step(ev.NotRegistered(register.session))
    assert isinstance(order, ev.Disconnect)
    assert order.code == 1011


def test_a_lost_edge_takes_its_connections_along(desk: Desk) -> None:
    session = desk.opened(1)
    desk.step(ev.Opened(EDGE, asked(2)))
    reason = "the edge edge-1 was lost"
    assert desk.step(ev.EdgeLost(EDGE)) == [
        ev.Unregister(AT),
        ev.NotifyDisconnected(session, 1006, reason),
    ]
    assert desk.hub.sessions(EDGE) == 0
    assert desk.step(ev.Authenticated(Address(EDGE, 2), "alice")) == []


def test_a_late_registration_of_an_earlier_stream_opens_nothing(desk: Desk) -> None:
    (first,) = desk.step(ev.EdgeAttached(EDGE, [live(1)]))
    assert isinstance(first, ev.Register)
    assert desk.step(ev.EdgeLost(EDGE)) == [ev.Unregister(AT)]
    (second,) = desk.step(ev.EdgeAttached(EDGE, [live(1)]))
    assert isinstance(second, ev.Register)
    assert desk.step(ev.Registered(first.session)) == []
    assert desk.step(ev.Registered(second.session)) == [ev.NotifyConnected(second.session)]


@pytest.mark.parametrize("edge", [EdgeKey("edge-1", 4), EdgeKey("edge-9", 5)])
def test_events_of_an_edge_that_is_not_attached_do_nothing(desk: Desk, edge: EdgeKey) -> None:
    desk.opened()
    at = Address(edge, 1)
    for event in (
        ev.Opened(edge, asked(1)),
        ev.Authenticated(at, "alice"),
        ev.Refused(at, Refusal.UNAUTHENTICATED, ""),
        ev.Closed(at, 1000),
        ev.EdgeLost(edge),
    ):
        assert desk.step(event) == []
    assert desk.session().phase is Phase.OPEN


def test_the_counters_tell_what_was_seen(desk: Desk) -> None:
    desk.opened()
    desk.step(ev.Opened(EDGE, asked(2)))
    desk.step(ev.Refused(Address(EDGE, 2), Refusal.UNAUTHENTICATED, ""))
    desk.received(1)
    desk.received(2, msg_id="n", type="custom_x", key="")
    seen = desk.hub.counters
    assert (seen.total_auth_requests, seen.successful_auths, seen.failed_auths) == (2, 1, 1)
    assert (seen.messages_processed, seen.custom_messages_processed) == (2, 1)
    assert (seen.messages_relayed, seen.messages_rejected) == (1, 1)
