"""What the hub does when the map says that a place is taken, a sentence each."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import Admission
from maim_protocol.errors import Refusal
from maim_router import events as ev
from maim_router.events import Address, GaveWay, Session
from maim_router.hub import GAVE_WAY
from tests.router.builders import EDGE, asked, live
from tests.router.hub.desk import Desk

AT = Address(EDGE, 2)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def registering(desk: Desk, conn: int = 2) -> Session:
    """Bring a connection to the point where the map is asked."""
    desk.step(ev.Opened(EDGE, asked(conn)))
    desk.step(ev.Authenticated(Address(EDGE, conn), "alice"))
    return desk.session(conn)


def restored(desk: Desk, conn: int = 2) -> Session:
    """Announce a connection once more."""
    (register,) = desk.step(ev.EdgeAttached(EDGE, [live(conn)]))
    assert isinstance(register, ev.Register)
    return register.session


def test_a_connection_without_a_place_is_refused_and_may_come_again(desk: Desk) -> None:
    refused = ev.Registered(registering(desk), GaveWay.OLDER)
    text = "the user has another connection on this platform"
    assert desk.step(refused) == [ev.Refuse(AT, Refusal.TOO_MANY_CONNECTIONS, text)]
    assert desk.hub.session(AT) is None
    assert desk.step(refused) == []


@pytest.mark.parametrize(
    ("why", "code"), [(GaveWay.LABEL, 4409), (GaveWay.NEWER, 4409), (GaveWay.OLDER, 4429)]
)
def test_a_restored_connection_without_a_place_is_closed(
    desk: Desk, why: GaveWay, code: int
) -> None:
    late = ev.Registered(restored(desk), why)
    assert desk.step(late) == [ev.Disconnect(AT, code, GAVE_WAY[why][1])]
    assert desk.step(ev.Closed(AT, code)) == []


@pytest.mark.parametrize(("why", "code"), [(GaveWay.NEWER, 4409), (GaveWay.OLDER, 4429)])
def test_who_had_to_go_is_told_why_and_for_whom(desk: Desk, why: GaveWay, code: int) -> None:
    first = desk.opened(1)
    second = registering(desk)
    text = GAVE_WAY[why][1]
    assert desk.step(ev.Registered(second, ended=[(first.address, why)])) == [
        ev.Disconnect(first.address, code, text),
        ev.NotifyDisconnected(first, code, text, second.uuid),
        ev.Admit(second.address, Admission(second.uuid, "alice")),
        ev.NotifyConnected(second),
    ]


def test_a_connection_that_waits_is_let_in_and_told_of_its_turn_once(desk: Desk) -> None:
    desk.opened(1)
    second = registering(desk)
    desk.step(ev.Registered(second, standby=True))
    assert second.standby
    assert desk.step(ev.Activated(AT)) == [ev.NotifyActivated(second)]
    assert desk.step(ev.Activated(AT)) == []


def test_one_that_was_passed_waits_again(desk: Desk) -> None:
    first = desk.opened(1)
    desk.step(ev.Registered(registering(desk), passed=first.address))
    assert desk.step(ev.Activated(first.address)) == [ev.NotifyActivated(first)]


def test_one_that_was_passed_by_nobody_who_stayed_is_not_told(desk: Desk) -> None:
    first = desk.opened(1)
    second = registering(desk)
    desk.step(ev.Closed(AT, 1006))
    assert desk.step(ev.Registered(second, passed=first.address)) == []
    assert desk.step(ev.Activated(first.address)) == []


def test_nobody_takes_over_who_has_left_meanwhile(desk: Desk) -> None:
    second = registering(desk)
    desk.step(ev.Registered(second, standby=True))
    desk.step(ev.Closed(AT, 1006))
    assert desk.step(ev.Activated(AT)) == []
