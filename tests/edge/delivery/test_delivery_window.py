"""What a client was delivered lately, and which of it the client is known to have."""

from __future__ import annotations

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.delivery.delivery_window import (
    MOST_BYTES,
    MOST_MESSAGES,
    MOST_PONGS,
    PROBE_BYTES,
    PROBE_LATE_MESSAGES,
    PROBE_MESSAGES,
    WINDOW_MESSAGES,
    DeliveryWindow,
)
from maim_protocol.bridge.frames import BridgeOutcome, EdgeFrame, Outcomes, Want
from tests.edge.builders import delivery

CONN = 7
OUTBOX_BYTES = 1 << 20


class Desk:
    """One connection and the stream that delivers to it."""

    def __init__(self) -> None:
        self.window = DeliveryWindow(OUTBOX_BYTES)
        self.downlink = Downlink(print)
        self.ordinal = 0

    def deliver(
        self, msg_id: str, sender: str = "alice", want: Want = Want.DONE, size: int = 10
    ) -> Receipt | None:
        self.ordinal += 1
        self.downlink.take(self.ordinal, 1)
        one = delivery(msg_id, sender, size)
        return self.window.expect(self.downlink, self.ordinal, CONN, want, one)

    def written(self, msg_id: str, sender: str = "alice", size: int = 10) -> Receipt:
        receipt = self.deliver(msg_id, sender, size=size)
        assert receipt is not None
        receipt.written()
        return receipt

    def new_stream(self) -> None:
        self.downlink, self.ordinal = Downlink(print), 0

    def done(self) -> list[tuple[int, int]]:
        return self.told().done

    def told(self) -> EdgeFrame:
        frame = EdgeFrame()
        self.downlink.fill(frame)
        return frame


def test_an_acknowledged_message_is_over() -> None:
    desk = Desk()
    desk.written("m1")
    assert desk.done() == []
    assert desk.window.acked("m1")
    assert desk.done() == [(1, 1)]
    assert not desk.window.acked("m1")
    assert not desk.window.acked("other")


def test_a_message_is_written_once_however_often_it_is_delivered() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.acked("m1")
    desk.new_stream()
    assert desk.deliver("m1") is None
    assert desk.done() == [(1, 1)]


def test_a_message_that_is_sent_again_before_its_acknowledgement_waits_for_it() -> None:
    desk = Desk()
    desk.written("m1")
    desk.new_stream()
    assert desk.deliver("m1") is None
    assert desk.done() == []
    desk.window.acked("m1")
    assert desk.done() == [(1, 1)]


def test_one_that_waits_in_the_outbox_is_not_put_there_again() -> None:
    desk = Desk()
    first = desk.deliver("m1")
    assert first is not None
    desk.new_stream()
    assert desk.deliver("m1") is None
    first.written()
    desk.window.acked("m1")
    assert desk.done() == [(1, 1)]


def test_one_whose_delivery_failed_is_written_again() -> None:
    desk = Desk()
    first = desk.deliver("m1")
    assert first is not None
    first.failed(BridgeOutcome.DROPPED)
    assert desk.deliver("m1") is not None


def test_two_senders_may_use_the_same_msg_id() -> None:
    desk = Desk()
    desk.written("m1", "alice")
    desk.written("m1", "bob")
    desk.written("m1", "carol")
    assert desk.deliver("m1", "bob") is None
    assert desk.done() == [(2, 2)]
    for _ in range(3):
        assert desk.window.acked("m1")
    assert desk.done() == [(1, 1), (3, 4)]
    assert not desk.window.acked("m1")


def test_a_pong_and_the_end_find_all_of_one_msg_id() -> None:
    desk = Desk()
    for sender in ("alice", "bob", "carol"):
        desk.written("m1", sender)
    desk.window.pinged()
    desk.written("m1", "dave")
    desk.window.ponged()
    assert desk.done() == [(1, 3)]
    desk.window.fail(BridgeOutcome.GONE)
    assert desk.done() == [(4, 4)]


def test_a_repeated_message_is_reported_as_it_is_wanted() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.acked("m1")
    desk.new_stream()
    desk.deliver("m1", want=Want.ACKED)
    columns = desk.told().outcomes or Outcomes()
    assert columns.outcomes == [BridgeOutcome.WRITTEN, BridgeOutcome.ACKED]


def test_a_pong_answers_for_what_was_written_before_the_ping() -> None:
    desk = Desk()
    desk.written("before")
    waiting = desk.deliver("in the outbox")
    assert waiting is not None
    desk.window.pinged()
    waiting.written()
    desk.written("after")
    desk.window.ponged()
    assert desk.done() == [(1, 1)]
    desk.window.pinged()
    desk.window.ponged()
    assert desk.done() == [(2, 3)]


def test_a_pong_that_nobody_asked_for_says_nothing() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.ponged()
    assert desk.done() == []


def test_a_ping_that_is_not_answered_yet_stands_for_a_later_one() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.pinged()
    desk.written("m2")
    desk.window.pinged()
    desk.window.ponged()
    assert desk.done() == [(1, 1)]


def test_a_client_that_acknowledges_is_given_time_to() -> None:
    desk = Desk()
    desk.written("m1")
    desk.written("m2")
    desk.window.acked("m1")
    assert desk.done() == [(1, 1)]
    for _ in range(MOST_PONGS):
        assert desk.done() == []
        desk.window.pinged()
        desk.window.ponged()
    assert desk.done() == [(2, 2)]


def test_the_end_of_the_connection_gives_back_what_is_not_over() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.acked("m1")
    desk.written("m2")
    desk.deliver("m3")
    desk.window.fail(BridgeOutcome.GONE)
    frame = desk.told()
    assert frame.done == [(1, 3)]
    assert frame.outcomes is not None
    assert frame.outcomes.ordinals == [2, 3]
    assert frame.outcomes.outcomes == [BridgeOutcome.GONE] * 2


def test_a_client_that_acknowledges_nothing_is_asked_when_much_is_open() -> None:
    desk = Desk()
    for number in range(PROBE_MESSAGES - 1):
        desk.written(f"m{number}")
    assert not desk.window.needs_probe
    desk.written("one more")
    assert desk.window.needs_probe
    desk.window.pinged()
    assert not desk.window.needs_probe
    desk.window.ponged()
    assert desk.window.unconfirmed == 0


def test_large_messages_are_a_reason_to_ask() -> None:
    desk = Desk()
    desk.written("m1", size=PROBE_BYTES)
    assert desk.window.needs_probe


def test_a_client_that_acknowledges_late_is_asked_late() -> None:
    desk = Desk()
    desk.written("m1")
    desk.window.acked("m1")
    for number in range(PROBE_LATE_MESSAGES):
        assert not desk.window.needs_probe
        desk.written(f"n{number}")
    assert desk.window.needs_probe


def test_nothing_is_given_up_but_too_much_is_said() -> None:
    desk = Desk()
    for number in range(MOST_MESSAGES + 1):
        assert not desk.window.overflows
        desk.written(f"m{number}")
    assert desk.window.overflows
    assert desk.window.unconfirmed == MOST_MESSAGES + 1
    assert desk.done() == []


def test_too_much_is_looked_at_while_a_ping_is_not_answered() -> None:
    desk = Desk()
    desk.written("m0")
    desk.window.pinged()
    for number in range(MOST_MESSAGES):
        assert not desk.window.needs_probe
        desk.written(f"n{number}")
    assert desk.window.needs_probe


def test_what_waits_in_the_outbox_does_not_count_as_too_much() -> None:
    desk = Desk()
    desk.deliver("m1", size=OUTBOX_BYTES)
    assert not desk.window.overflows
    desk.written("m2", size=MOST_BYTES)
    assert not desk.window.overflows
    desk.written("m3", size=1)
    assert desk.window.overflows


def test_what_was_delivered_long_ago_is_not_known_any_more() -> None:
    desk = Desk()
    for number in range(2 * WINDOW_MESSAGES + 1):
        desk.written(f"m{number}")
        desk.window.acked(f"m{number}")
    assert desk.deliver(f"m{WINDOW_MESSAGES + 1}") is None
    assert desk.deliver("m0") is not None


def test_what_an_outbox_dropped_does_not_pile_up() -> None:
    desk = Desk()
    assert desk.deliver("stuck") is not None
    for index in range(1000):
        receipt = desk.deliver(f"m{index}")
        assert receipt is not None
        receipt.failed(BridgeOutcome.DROPPED)
        desk.window.dropped(receipt)
    assert desk.window.unconfirmed == 1
    assert desk.window._bytes == 10
