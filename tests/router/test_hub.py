"""The router's decisions, a sentence each."""

from __future__ import annotations

import itertools

import pytest

from maim_protocol.errors import ErrorCode, Refusal
from maim_protocol.frames import Admission
from maim_router import events as ev
from maim_router.events import Address, EdgeKey, Phase, Session
from maim_router.hub import REPLACED, Hub
from tests.router.builders import EDGE, asked, inbound, live, received

AT = Address(EDGE, 1)


class World:
    """A hub with one attached edge; `handled` may be changed."""

    def __init__(self) -> None:
        self.handled: set[str] = set()
        uuids = (f"uuid-{n}" for n in itertools.count(1))
        self.hub = Hub(self.handled, lambda: next(uuids))
        self.step(ev.EdgeAttached(EDGE))

    def step(self, event: ev.Event, now: float = 0.0) -> list[ev.Action]:
        return self.hub.step(event, now)

    def session(self, conn: int = 1) -> Session:
        found = self.hub.session(Address(EDGE, conn))
        assert found is not None
        return found

    def opened(self, conn: int = 1, user: str = "alice") -> Session:
        """Bring a connection up to the end."""
        self.step(ev.Opened(EDGE, asked(conn)))
        self.step(ev.Authenticated(Address(EDGE, conn), user))
        session = self.session(conn)
        self.step(ev.Registered(session))
        return session

    def received(self, ordinal: int, conn: int = 1, **about: str) -> list[ev.Action]:
        return self.step(received(inbound(ordinal, conn=conn, **about)))

    def relayed(self, ordinal: int, conn: int = 1) -> ev.Relay:
        """Receive a message that is passed on."""
        (relay,) = self.received(ordinal, conn)
        assert isinstance(relay, ev.Relay)
        return relay


@pytest.fixture
def world() -> World:
    return World()


def test_a_handshake_is_asked_about_first(world: World) -> None:
    assert world.step(ev.Opened(EDGE, asked(1))) == [ev.Authenticate(AT, asked(1))]


def test_an_authenticated_connection_is_registered_before_it_is_admitted(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    actions = world.step(ev.Authenticated(AT, "alice"))
    session = world.session()
    assert actions == [ev.Register(session)]
    assert world.step(ev.Registered(session)) == [
        ev.Admit(AT, Admission("uuid-1", "alice")),
        ev.NotifyConnected(session),
    ]
    assert session.phase is Phase.OPEN


def test_a_refused_connection_is_told_and_forgotten(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    refused = ev.Refused(AT, Refusal.UNAUTHENTICATED, "no")
    assert world.step(refused) == [ev.Refuse(AT, Refusal.UNAUTHENTICATED, "no")]
    assert world.hub.session(AT) is None
    assert world.step(refused) == []


def test_a_client_that_leaves_during_auth_is_never_admitted(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    assert world.step(ev.Closed(AT, 1006)) == []
    assert world.step(ev.Authenticated(AT, "alice")) == []


def test_a_client_that_leaves_while_it_is_registered_leaves_the_map(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    world.step(ev.Authenticated(AT, "alice"))
    session = world.session()
    assert world.step(ev.Closed(AT, 1006)) == [ev.Unregister(AT)]
    assert world.step(ev.Registered(session)) == []


def test_a_close_takes_an_open_connection_out_of_the_map(world: World) -> None:
    session = world.opened()
    assert world.step(ev.Closed(AT, 1000, "bye")) == [
        ev.Unregister(AT),
        ev.NotifyDisconnected(session, "1000 bye"),
    ]
    assert world.step(ev.Closed(AT, 1000, "bye")) == []


def test_a_handle_that_is_in_use_is_not_opened_again(world: World) -> None:
    session = world.opened()
    assert world.step(ev.Opened(EDGE, asked(1, "mallory"))) == []
    assert world.session() is session


def test_the_older_connection_of_a_label_is_closed_by_the_newer(world: World) -> None:
    old = world.opened(1)
    world.step(ev.Opened(EDGE, asked(2)))
    world.step(ev.Authenticated(Address(EDGE, 2), "alice"))
    new = world.session(2)
    assert world.step(ev.Registered(new, replaced=old.address)) == [
        ev.Disconnect(old.address, 4409, REPLACED),
        ev.NotifyDisconnected(old, REPLACED),
        ev.Admit(new.address, Admission(new.uuid, "alice")),
        ev.NotifyConnected(new),
    ]
    assert world.step(ev.Closed(old.address, 4409)) == []


def test_a_restored_connection_that_came_too_late_is_closed(world: World) -> None:
    register = world.step(ev.EdgeAttached(EDGE, [live(7)]))
    assert isinstance(register[0], ev.Register)
    session = register[0].session
    at = Address(EDGE, 7)
    assert world.step(ev.Registered(session, replaced=at)) == [ev.Disconnect(at, 4409, REPLACED)]
    assert world.step(ev.Registered(session, replaced=at)) == []


def test_a_restored_connection_keeps_its_identity_and_gets_no_verdict(world: World) -> None:
    (register,) = world.step(ev.EdgeAttached(EDGE, [live(7, "kept")]))
    assert isinstance(register, ev.Register)
    session = register.session
    assert (session.uuid, session.user_id) == ("kept", "alice")
    assert world.step(ev.Registered(session)) == [ev.NotifyConnected(session)]


def test_a_connection_that_the_map_cannot_hold_may_come_again(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    world.step(ev.Authenticated(AT, "alice"))
    session = world.session()
    (refuse,) = world.step(ev.NotRegistered(session))
    assert isinstance(refuse, ev.Refuse)
    assert refuse.code is Refusal.ROUTER_UNAVAILABLE
    assert world.step(ev.NotRegistered(session)) == []


def test_a_restored_connection_that_the_map_cannot_hold_is_closed(world: World) -> None:
    (register,) = world.step(ev.EdgeAttached(EDGE, [live(7)]))
    assert isinstance(register, ev.Register)
    (order,) = world.step(ev.NotRegistered(register.session))
    assert isinstance(order, ev.Disconnect)
    assert order.code == 1011


def test_a_lost_edge_takes_its_connections_along(world: World) -> None:
    session = world.opened(1)
    world.step(ev.Opened(EDGE, asked(2)))
    reason = "the edge edge-1 was lost"
    assert world.step(ev.EdgeLost(EDGE)) == [
        ev.Unregister(AT),
        ev.NotifyDisconnected(session, reason),
    ]
    assert world.hub.sessions(EDGE) == 0
    assert world.step(ev.Authenticated(Address(EDGE, 2), "alice")) == []


def test_a_late_registration_of_an_earlier_stream_opens_nothing(world: World) -> None:
    (first,) = world.step(ev.EdgeAttached(EDGE, [live(1)]))
    assert isinstance(first, ev.Register)
    assert world.step(ev.EdgeLost(EDGE)) == [ev.Unregister(AT)]
    (second,) = world.step(ev.EdgeAttached(EDGE, [live(1)]))
    assert isinstance(second, ev.Register)
    assert world.step(ev.Registered(first.session)) == []
    assert world.step(ev.Registered(second.session)) == [ev.NotifyConnected(second.session)]


@pytest.mark.parametrize("edge", [EdgeKey("edge-1", 4), EdgeKey("edge-9", 5)])
def test_events_of_an_edge_that_is_not_attached_do_nothing(world: World, edge: EdgeKey) -> None:
    world.opened()
    at = Address(edge, 1)
    for event in (
        ev.Opened(edge, asked(1)),
        ev.Authenticated(at, "alice"),
        ev.Refused(at, Refusal.UNAUTHENTICATED, ""),
        ev.Closed(at, 1000),
        ev.EdgeLost(edge),
    ):
        assert world.step(event) == []
    assert world.session().phase is Phase.OPEN


def test_a_message_without_handler_is_relayed(world: World) -> None:
    session = world.opened()
    assert world.received(1) == [ev.Relay(session, inbound(1))]


def test_a_message_with_a_handler_is_dispatched(world: World) -> None:
    session = world.opened()
    world.handled.update({"sys_std", "custom_x"})
    assert world.received(1) == [ev.Dispatch(session, inbound(1))]
    custom = inbound(2, "m2", "custom_x")
    assert world.step(received(custom)) == [ev.Dispatch(session, custom)]


def test_a_message_that_nobody_takes_is_rejected_and_may_be_tried_again(world: World) -> None:
    world.opened()
    (reject,) = world.received(1, type="custom_x", key="")
    assert isinstance(reject, ev.Reject)
    assert (reject.ordinal, reject.code) == (1, ErrorCode.UNKNOWN_TYPE)
    world.handled.add("custom_x")
    (dispatch,) = world.received(2, type="custom_x", key="")
    assert isinstance(dispatch, ev.Dispatch)


def test_a_message_before_the_admission_is_rejected(world: World) -> None:
    world.step(ev.Opened(EDGE, asked(1)))
    (reject,) = world.received(1)
    assert isinstance(reject, ev.Reject)
    world.step(ev.Authenticated(AT, "alice"))
    (reject,) = world.received(2)
    assert isinstance(reject, ev.Reject)


def test_every_sender_of_a_running_message_gets_its_end(world: World) -> None:
    world.opened(1)
    world.opened(2)
    relay = world.relayed(1)
    assert world.received(2, conn=2) == []
    assert world.step(ev.Settled([relay])) == [ev.Settle(EDGE, [1, 2])]
    assert world.received(3) == [ev.Settle(EDGE, (3,))]
    assert world.hub.counters.duplicate_messages_ignored == 2


def test_what_a_delivery_settled_is_told_to_nobody_but_its_other_senders(world: World) -> None:
    other = EdgeKey("edge-2", 1)
    (register,) = world.step(ev.EdgeAttached(other, [live(1)]))
    assert isinstance(register, ev.Register)
    world.opened(1)
    world.opened(2)
    world.step(ev.Registered(register.session))
    relay = world.relayed(1)
    assert world.received(2, conn=2) == []
    assert world.step(ev.Received(other, [inbound(1)])) == []
    assert world.step(ev.Settled([relay], told=EDGE)) == [
        ev.Settle(EDGE, [2]),
        ev.Settle(other, [1]),
    ]


def test_another_edge_that_took_a_message_tells_its_sender_nothing(world: World) -> None:
    world.opened()
    relay = world.relayed(1)
    assert world.step(ev.Settled([relay], told=EdgeKey("edge-2", 1))) == [ev.Settle(EDGE, [1])]


def test_what_a_delivery_settled_is_a_duplicate_when_it_comes_again(world: World) -> None:
    world.opened()
    relay = world.relayed(1)
    assert world.step(ev.Settled([relay], told=EDGE)) == []
    assert world.received(1) == [ev.Settle(EDGE, (1,))]


def test_a_duplicate_in_the_same_frame_waits_for_the_first(world: World) -> None:
    session = world.opened()
    relay = ev.Relay(session, inbound(1))
    assert world.step(received(inbound(1), inbound(2))) == [relay]
    assert world.step(ev.Settled([relay])) == [ev.Settle(EDGE, [1, 2])]


def test_what_ends_together_is_settled_together(world: World) -> None:
    session = world.opened()
    messages = [inbound(ordinal, str(ordinal)) for ordinal in (1, 2, 3)]
    relays = world.step(received(*messages))
    assert relays == [ev.Relay(session, message) for message in messages]
    ended = [relay for relay in relays if isinstance(relay, ev.Relay)]
    assert world.step(ev.Settled(ended)) == [ev.Settle(EDGE, [1, 2, 3])]


def test_a_failed_message_is_rejected_to_everybody_and_may_be_tried_again(world: World) -> None:
    session = world.opened()
    relay = world.relayed(1)
    world.received(2)
    failed = ev.Failed(relay, ErrorCode.NO_ROUTE, "nobody")
    rejected = [ev.Reject(EDGE, n, ErrorCode.NO_ROUTE, "nobody") for n in (1, 2)]
    assert world.step(failed) == rejected
    assert world.received(3) == [ev.Relay(session, inbound(3))]


def test_the_same_id_of_two_users_is_two_messages(world: World) -> None:
    world.opened(1)
    bob = world.opened(2, "bob")
    world.received(1)
    assert world.received(2, conn=2) == [ev.Relay(bob, inbound(2, conn=2))]


def test_messages_without_an_id_are_never_duplicates(world: World) -> None:
    session = world.opened()
    first, second = (ev.Relay(session, inbound(ordinal, "")) for ordinal in (1, 2))
    assert world.step(received(first.message, second.message)) == [first, second]
    assert world.step(ev.Settled([second])) == [ev.Settle(EDGE, [2])]
    failed = ev.Failed(first, ErrorCode.INTERNAL, "x")
    assert world.step(failed) == [ev.Reject(EDGE, 1, ErrorCode.INTERNAL, "x")]


def test_an_id_may_come_again_after_the_window(world: World) -> None:
    session = world.opened()
    world.step(ev.Settled([world.relayed(1)]))
    assert world.step(received(inbound(2)), now=601) == [ev.Relay(session, inbound(2))]


def test_the_counters_tell_what_was_seen(world: World) -> None:
    world.opened()
    world.step(ev.Opened(EDGE, asked(2)))
    world.step(ev.Refused(Address(EDGE, 2), Refusal.UNAUTHENTICATED, ""))
    world.received(1)
    world.received(2, msg_id="n", type="custom_x", key="")
    seen = world.hub.counters
    assert (seen.total_auth_requests, seen.successful_auths, seen.failed_auths) == (2, 1, 1)
    assert (seen.messages_processed, seen.custom_messages_processed) == (2, 1)
    assert (seen.messages_relayed, seen.messages_rejected) == (1, 1)
