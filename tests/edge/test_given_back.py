"""Deliveries of lost streams on their way to the next router."""

from __future__ import annotations

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.bridge.given_back import MOST_BYTES, GivenBack
from maim_protocol.frames import FRAME_BYTES, Want
from tests.edge.builders import delivery


def receipt(msg_id: str, size: int = 10, number: int = 1, want: Want = Want.DONE) -> Receipt:
    one = delivery(msg_id, size=size, number=number)
    return Receipt(Downlink(print), 1, 7, want, one)


def ids(back: GivenBack) -> list[str]:
    columns = back.gather()
    return columns.msg_ids if columns is not None else []


def test_it_leaves_whole_and_once_a_stream() -> None:
    back = GivenBack()
    back.add(receipt("m1", number=99))
    columns = back.gather()
    assert columns is not None
    assert (columns.ordinals, columns.conns, columns.numbers) == ([1], [7], [99])
    assert (columns.sender_users, columns.target_users) == (["alice"], ["bob"])
    assert (columns.platforms, columns.timestamps) == (["wx"], [1.5])
    assert columns.payloads == [b"x" * 10]
    assert not back.pending
    assert back.gather() is None


def test_a_new_stream_is_told_again_until_a_router_has_it() -> None:
    back = GivenBack()
    for msg_id in ("m1", "m2"):
        back.add(receipt(msg_id))
    assert ids(back) == ["m1", "m2"]
    back.kept([(1, 1)])
    back.restart()
    assert ids(back) == ["m2"]
    back.kept([(2, 2)])
    assert (len(back), back.pending) == (0, False)


def test_a_frame_has_a_bound() -> None:
    back = GivenBack()
    for msg_id in ("m1", "m2"):
        back.add(receipt(msg_id, size=FRAME_BYTES))
    assert [ids(back), ids(back), ids(back)] == [["m1"], ["m2"], []]


def test_what_nobody_keeps_or_nobody_could_take_is_let_go() -> None:
    back = GivenBack()
    back.add(receipt("passing", want=Want.PASSING))
    back.add(receipt("for one connection", number=0))
    back.add(receipt("too large", size=MOST_BYTES + 1))
    assert not len(back)
