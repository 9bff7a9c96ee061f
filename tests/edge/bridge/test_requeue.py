"""Deliveries of lost streams on their way to the next router."""

from __future__ import annotations

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.bridge.requeue import MOST_BYTES, RequeueBuffer
from maim_protocol.bridge.frames import FRAME_BYTES, Admission, Live, Open, Want
from tests.edge.builders import delivery

CONN, GONE = 7, 8


def receipt(
    msg_id: str, size: int = 10, number: int = 1, want: Want = Want.DONE, conn: int = CONN
) -> Receipt:
    one = delivery(msg_id, size=size, number=number)
    return Receipt(Downlink(print), 1, conn, want, one)


def live(conn: int) -> Live | None:
    admission = Admission(f"uuid-{conn}", "bob", b"proof")
    return None if conn == GONE else Live(Open(conn, "bob", "wx"), admission)


def ids(back: RequeueBuffer) -> list[str]:
    columns = back.gather().given_back if back.pending else None
    return list(columns.msg_ids) if columns is not None else []


def test_it_leaves_whole_and_once_a_stream() -> None:
    back = RequeueBuffer(live)
    back.add(receipt("m1", number=99))
    frame = back.gather()
    columns = frame.given_back
    assert columns is not None
    assert frame.given_back_from == [live(CONN)]
    assert (columns.ordinals, columns.conns, columns.numbers) == ([1], [7], [99])
    assert (columns.sender_users, columns.target_users) == (["alice"], ["bob"])
    assert (columns.platforms, columns.timestamps) == (["wx"], [1.5])
    assert columns.payloads == [b"x" * 10]
    assert not back.pending


def test_a_new_stream_is_told_again_until_a_router_has_it() -> None:
    back = RequeueBuffer(live)
    for msg_id in ("m1", "m2"):
        back.add(receipt(msg_id))
    assert ids(back) == ["m1", "m2"]
    back.kept([(1, 1)])
    back.restart()
    assert ids(back) == ["m2"]
    back.kept([(2, 2)])
    assert (len(back), back.pending) == (0, False)


def test_a_frame_has_a_bound() -> None:
    back = RequeueBuffer(live)
    for msg_id in ("m1", "m2"):
        back.add(receipt(msg_id, size=FRAME_BYTES))
    assert [ids(back), ids(back), ids(back)] == [["m1"], ["m2"], []]


def test_what_nobody_keeps_or_nobody_could_take_is_let_go() -> None:
    back = RequeueBuffer(live)
    back.add(receipt("passing", want=Want.PASSING))
    back.add(receipt("for one connection", number=0))
    back.add(receipt("too large", size=MOST_BYTES + 1))
    back.add(receipt("of a connection that nobody admitted", conn=GONE))
    assert not len(back)
