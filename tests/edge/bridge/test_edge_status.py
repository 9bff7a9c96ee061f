"""What an edge tells of itself: only what is much or was, only changes, all of it anew."""

from __future__ import annotations

from maim_edge.bridge.edge_status import MOST_OF_A_FRAME, MUCH_BYTES, EdgeStatus
from maim_protocol.bridge.frames import EdgeFrame, PendingBytes

MUCH = MUCH_BYTES + 1


def told(status: EdgeStatus) -> list[tuple[int, int, int]]:
    frame = status.fill(None)
    return [] if frame is None else [(r.conn, r.bytes, r.messages) for r in frame.pending]


def test_little_is_not_told() -> None:
    status = EdgeStatus()
    assert not status.pending(1, MUCH_BYTES, 3)
    assert not status.owes
    assert status.fill(None) is None


def test_much_is_told_once_and_again_when_it_changes() -> None:
    status = EdgeStatus()
    assert status.pending(1, MUCH, 3)
    assert told(status) == [(1, MUCH, 3)]
    status.pending(1, MUCH, 3)
    assert not status.owes
    status.pending(1, MUCH + 1, 3)
    assert told(status) == [(1, MUCH + 1, 3)]


def test_that_it_is_over_is_told_to_who_heard_of_it() -> None:
    status = EdgeStatus()
    status.pending(1, MUCH, 3)
    told(status)
    assert status.pending(1, 100, 1)
    assert told(status) == [(1, 0, 0)]
    assert not status.pending(1, 100, 1)
    status.pending(2, MUCH, 1)
    status.pending(2, 0, 0)
    assert not status.owes


def test_a_connection_that_is_gone_is_not_told_of() -> None:
    status = EdgeStatus()
    status.pending(1, MUCH, 3)
    status.forget(1)
    assert not status.owes


def test_a_new_stream_hears_all_of_it() -> None:
    status = EdgeStatus()
    status.drains()
    status.pending(1, MUCH, 3)
    first = status.fill(None)
    assert first is not None
    assert first.draining
    status.pending(2, MUCH, 1)
    status.restart()
    again = status.fill(EdgeFrame(taken_through=4))
    assert again is not None
    assert again.draining
    assert again.taken_through == 4
    assert list(again.pending) == [PendingBytes(1, MUCH, 3), PendingBytes(2, MUCH, 1)]
    assert not status.owes


def test_that_it_drains_is_told_once() -> None:
    status = EdgeStatus()
    status.drains()
    status.fill(None)
    status.drains()
    assert not status.owes


def test_very_many_take_several_frames() -> None:
    status = EdgeStatus()
    for conn in range(MOST_OF_A_FRAME + 1):
        status.pending(conn, MUCH, 1)
    assert len(told(status)) == MOST_OF_A_FRAME
    assert status.owes
    assert len(told(status)) == 1
    assert not status.owes
