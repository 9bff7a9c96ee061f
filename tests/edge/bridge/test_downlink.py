"""The downlink: what the edge owes the router about deliveries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_protocol.bridge.frames import BridgeOutcome, EdgeFrame, Outcomes, Want
from tests.edge.builders import delivery


def told(downlink: Downlink) -> EdgeFrame:
    frame = EdgeFrame()
    downlink.fill(frame)
    return frame


def outcomes(frame: EdgeFrame) -> list[tuple[int, int, int]]:
    columns = frame.outcomes or Outcomes()
    return list(zip(columns.ordinals, columns.conns, columns.outcomes, strict=True))


def receipt(downlink: Downlink, ordinal: int, conn: int = 7, want: Want = Want.DONE) -> Receipt:
    return Receipt(downlink, ordinal, conn, want, delivery(f"m{ordinal}"))


def test_what_is_taken_is_told_once() -> None:
    downlink = Downlink(print)
    downlink.take(1, 1)
    assert downlink.pending
    assert told(downlink).taken_through == 1
    assert not downlink.pending


def test_a_delivery_to_nobody_is_done_at_once() -> None:
    downlink = Downlink(print)
    downlink.take(1, 0)
    assert told(downlink).done == [(1, 1)]


def test_a_written_delivery_is_not_done_before_the_client_has_it() -> None:
    downlink = Downlink(print)
    downlink.take(1, 1)
    one = receipt(downlink, 1)
    one.written()
    frame = told(downlink)
    assert (frame.done, frame.outcomes) == ([], None)
    one.acked()
    frame = told(downlink)
    assert (frame.done, frame.outcomes) == ([(1, 1)], None)


def test_it_is_done_when_every_connection_is_and_a_failure_is_told() -> None:
    downlink = Downlink(print)
    downlink.take(1, 2)
    receipt(downlink, 1, 7).confirmed()
    assert told(downlink).done == []
    receipt(downlink, 1, 8).failed(BridgeOutcome.GONE)
    assert downlink.urgent
    frame = told(downlink)
    assert frame.done == [(1, 1)]
    assert outcomes(frame) == [(1, 8, BridgeOutcome.GONE)]


def test_a_write_is_reported_when_it_is_wanted() -> None:
    downlink = Downlink(print)
    downlink.take(1, 2)
    receipt(downlink, 1, 7, Want.WRITTEN).written()
    receipt(downlink, 1, 8, Want.WRITTEN).failed(BridgeOutcome.SLOW)
    frame = told(downlink)
    assert outcomes(frame) == [(1, 7, BridgeOutcome.WRITTEN), (1, 8, BridgeOutcome.SLOW)]
    assert frame.done == []


def test_an_acknowledgement_is_reported_when_it_is_wanted() -> None:
    downlink = Downlink(print)
    downlink.take(1, 1)
    one = receipt(downlink, 1, want=Want.ACKED)
    one.written()
    one.acked()
    one.acked()
    frame = told(downlink)
    assert [code for *_, code in outcomes(frame)] == [BridgeOutcome.WRITTEN, BridgeOutcome.ACKED]
    assert frame.done == [(1, 1)]


def test_what_passes_is_over_when_it_is_written() -> None:
    downlink = Downlink(print)
    downlink.passed(1, [7, 8], later=1)
    assert told(downlink).done == []
    receipt(downlink, 1, 9, Want.PASSING).written()
    frame = told(downlink)
    assert frame.done == [(1, 1)]
    assert outcomes(frame) == [(1, 9, BridgeOutcome.WRITTEN)]


def test_what_is_said_after_the_end_means_nothing() -> None:
    downlink = Downlink(print)
    downlink.take(1, 1)
    one = receipt(downlink, 1)
    one.acked()
    one.written()
    one.failed(BridgeOutcome.GONE)
    one.confirmed()
    frame = told(downlink)
    assert (frame.done, frame.outcomes) == ([(1, 1)], None)


def test_a_receipt_answers_to_the_stream_that_sent_the_message_again() -> None:
    old, new = Downlink(print), Downlink(print)
    old.take(5, 1)
    one = receipt(old, 5, want=Want.DONE)
    one.written()
    new.take(1, 1)
    one.moves(new, 1, Want.WRITTEN)
    one.acked()
    frame = told(new)
    assert outcomes(frame) == [(1, 7, BridgeOutcome.WRITTEN)]
    assert frame.done == [(1, 1)]


def test_what_fails_after_the_stream_was_lost_is_given_back() -> None:
    back: list[Receipt] = []
    downlink = Downlink(back.append)
    downlink.take(1, 1)
    one = receipt(downlink, 1)
    downlink.lose()
    one.failed(BridgeOutcome.GONE)
    assert back == [one]


@given(
    deliveries=st.lists(
        st.tuples(st.sampled_from([Want.DONE, Want.WRITTEN, Want.ACKED]), st.integers(0, 3)),
        min_size=1,
        max_size=20,
    ),
    fates=st.lists(st.sampled_from(["acked", "failed", "confirmed"]), min_size=60, max_size=60),
)
def test_every_delivery_ends_once_whatever_becomes_of_it(
    deliveries: list[tuple[Want, int]], fates: list[str]
) -> None:
    downlink = Downlink(print)
    fate = iter(fates)
    for ordinal, (want, fanout) in enumerate(deliveries, start=1):
        downlink.take(ordinal, fanout)
        for conn in range(fanout):
            one = receipt(downlink, ordinal, conn, want)
            match next(fate):
                case "acked":
                    one.acked()
                case "confirmed":
                    one.confirmed()
                case _:
                    one.failed(BridgeOutcome.GONE)
    frame = told(downlink)
    assert frame.done == [(1, len(deliveries))]
    assert frame.taken_through == len(deliveries)


def test_what_gave_way_is_given_to_no_later_router() -> None:
    given_back: list[Receipt] = []
    downlink = Downlink(given_back.append)
    downlink.take(1, 1)
    receipt = Receipt(downlink, 1, 7, Want.WRITTEN, delivery("m1"))
    downlink.lose()
    receipt.failed(BridgeOutcome.DROPPED)
    assert given_back == []
