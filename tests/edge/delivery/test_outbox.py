"""The outbox: bounds in bytes and number, and everybody hears what became of a frame."""

from __future__ import annotations

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.delivery.outbox import FRAME_BYTES, OVER_SECONDS, Outbox, OutFrame
from maim_protocol.bridge.frames import BridgeOutcome, EdgeFrame, Want
from tests.edge.builders import delivery

NOW = 100.0


def frame(size: int = 1) -> OutFrame:
    return OutFrame((b"x" * size,))


def test_frames_leave_in_the_order_they_came() -> None:
    outbox = Outbox(10_000, 10)
    for size in (1, 2, 3):
        assert outbox.put(frame(size), NOW)
    sizes = []
    while (first := outbox.first()) is not None:
        sizes.append(len(first.pieces[0]))
        outbox.pop()
    assert sizes == [1, 2, 3]
    assert outbox.bytes == 0


def test_an_empty_outbox_takes_a_frame_of_any_size() -> None:
    outbox = Outbox(1000, 10)
    assert outbox.put(frame(50_000), NOW)
    assert not outbox.put(frame(), NOW)


def test_the_bound_in_bytes_is_hard() -> None:
    outbox = Outbox(10 * (FRAME_BYTES + 1), 1_000_000)
    taken = sum(outbox.put(frame(), NOW) for _ in range(1000))
    assert taken == 10
    assert outbox.bytes <= 10 * (FRAME_BYTES + 1)


def test_what_is_being_written_takes_room_until_it_is() -> None:
    outbox = Outbox(2 * (FRAME_BYTES + 1), 10)
    assert outbox.put(frame(), NOW)
    assert outbox.put(frame(), NOW)
    outbox.first()
    assert not outbox.put(frame(), NOW)
    outbox.pop()
    assert outbox.put(frame(), NOW)


def test_a_burst_over_the_number_is_forgiven_for_a_moment() -> None:
    outbox = Outbox(10**9, 10)
    assert all(outbox.put(frame(), NOW) for _ in range(1024))
    assert outbox.put(frame(), NOW + OVER_SECONDS)
    assert not outbox.put(frame(), NOW + OVER_SECONDS + 0.1)


def test_a_burst_that_was_worked_off_is_forgotten() -> None:
    outbox = Outbox(10**9, 10)
    for _ in range(20):
        outbox.put(frame(), NOW)
    while len(outbox) >= 10:
        outbox.pop()
    for _ in range(20):
        assert outbox.put(frame(), NOW + 60)


def test_the_end_is_put_in_however_full_it_is() -> None:
    outbox = Outbox(1, 1)
    outbox.put(frame(500), NOW)
    assert outbox.put(OutFrame((), close=(1001, "bye")), NOW + 60)


def test_failing_tells_everybody_who_waits() -> None:
    downlink = Downlink(print)
    outbox = Outbox(10_000, 10)
    for ordinal in (1, 2):
        downlink.take(ordinal, 1)
        outbox.put(OutFrame((b"x",), Receipt(downlink, ordinal, 7, Want.WRITTEN, delivery())), NOW)
    outbox.put(frame(), NOW)
    outbox.fail(BridgeOutcome.SLOW)
    told = EdgeFrame()
    downlink.fill(told)
    assert told.outcomes is not None
    assert told.outcomes.outcomes == [BridgeOutcome.SLOW] * 2
    assert len(outbox) == outbox.bytes == 0
