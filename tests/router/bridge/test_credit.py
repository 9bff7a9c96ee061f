"""What a connection holds of messages that must not be lost, and how much it may."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import BridgeOutcome, EdgeFrame, Outcomes, RouterFrame
from maim_router.bridge import link as edge_link
from maim_router.bridge.in_flight import Returned
from maim_router.bridge.link import EdgeLink
from maim_router.bridge.outbound import Delivery, Outgoing
from tests.router.builders import HELLO
from tests.router.memory_edge import Stream


class Desk:
    """A link whose frames are taken one by one, and what it told."""

    def __init__(self) -> None:
        self.slow: list[int] = []
        self.back: list[Returned] = []
        stream, told = Stream(), (self.slow.append, self.back.append)
        self.link = EdgeLink(HELLO, 0.0, stream, *told)
        self.link.welcome("router-1")
        self.link.gather()

    def deliver(self, number: int, *conns: int) -> None:
        message = Outgoing(f"m{number}", "sys_std", b"{}", 1.5, "alice", "qq", "bob", "wx", number)
        self.link.deliver(Delivery(message, conns, None))

    def frame(self) -> RouterFrame:
        frame = self.link.gather()
        assert frame is not None
        return frame


def test_a_connection_holds_what_it_is_not_known_to_have() -> None:
    desk = Desk()
    desk.deliver(1, 7)
    desk.deliver(2, 7, 8)
    desk.frame()
    desk.link.on_reports(EdgeFrame(taken_through=2, done=[(1, 1)]))
    assert desk.link.has_unconfirmed(7)
    gone = Outcomes([2], [8], [BridgeOutcome.GONE])
    desk.link.on_reports(EdgeFrame(taken_through=2, done=[(2, 2)], outcomes=gone))
    assert not desk.link.has_unconfirmed(7)


def test_one_with_more_than_its_credit_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_link, "CREDIT_BYTES", 3 * edge_link.MESSAGE_BYTES)
    desk = Desk()
    for number in (1, 2):
        desk.deliver(number, 7)
    assert desk.slow == []
    desk.deliver(3, 7)
    assert desk.slow == [7]


def test_what_is_for_one_that_has_closed_comes_back() -> None:
    desk = Desk()
    desk.link.gone.add(7)
    desk.deliver(1, 7)
    desk.deliver(2, 7, 8)
    assert [tuple(one.conns) for one in desk.back] == [(7,), (7,)]
    columns = desk.frame().deliveries
    assert columns is not None
    assert (columns.msg_ids, list(columns.conns)) == (["m2"], [8])
