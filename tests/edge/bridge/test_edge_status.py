"""What an edge tells of itself: only what is much or was, only changes, all of it anew."""

from __future__ import annotations

from maim_edge.bridge.edge_status import MOST_OF_A_FRAME, MUCH_BYTES, Aside
from maim_protocol.bridge.frames import EdgeFrame, PendingBytes

MUCH = MUCH_BYTES + 1


def told(aside: Aside) -> list[tuple[int, int, int]]:
    frame = aside.fill(None)
    return [] if frame is None else [(r.conn, r.bytes, r.messages) for r in frame.pending]


def test_little_is_not_told() -> None:
    aside = Aside()
    assert not aside.pending(1, MUCH_BYTES, 3)
    assert not aside.owes
    assert aside.fill(None) is None


def test_much_is_told_once_and_again_when_it_changes() -> None:
    aside = Aside()
    assert aside.pending(1, MUCH, 3)
    assert told(aside) == [(1, MUCH, 3)]
    aside.pending(1, MUCH, 3)
    assert not aside.owes
    aside.pending(1, MUCH + 1, 3)
    assert told(aside) == [(1, MUCH + 1, 3)]


def test_that_it_is_over_is_told_to_who_heard_of_it() -> None:
    aside = Aside()
    aside.pending(1, MUCH, 3)
    told(aside)
    assert aside.pending(1, 100, 1)
    assert told(aside) == [(1, 0, 0)]
    assert not aside.pending(1, 100, 1)
    aside.pending(2, MUCH, 1)
    aside.pending(2, 0, 0)
    assert not aside.owes


def test_a_connection_that_is_gone_is_not_told_of() -> None:
    aside = Aside()
    aside.pending(1, MUCH, 3)
    aside.forget(1)
    assert not aside.owes


def test_a_new_stream_hears_all_of_it() -> None:
    aside = Aside()
    aside.drains()
    aside.pending(1, MUCH, 3)
    first = aside.fill(None)
    assert first is not None
    assert first.draining
    aside.pending(2, MUCH, 1)
    aside.restart()
    again = aside.fill(EdgeFrame(taken_through=4))
    assert again is not None
    assert again.draining
    assert again.taken_through == 4
    assert list(again.pending) == [PendingBytes(1, MUCH, 3), PendingBytes(2, MUCH, 1)]
    assert not aside.owes


def test_that_it_drains_is_told_once() -> None:
    aside = Aside()
    aside.drains()
    aside.fill(None)
    aside.drains()
    assert not aside.owes


def test_very_many_take_several_frames() -> None:
    aside = Aside()
    for conn in range(MOST_OF_A_FRAME + 1):
        aside.pending(conn, MUCH, 1)
    assert len(told(aside)) == MOST_OF_A_FRAME
    assert aside.owes
    assert len(told(aside)) == 1
    assert not aside.owes
