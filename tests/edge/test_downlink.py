"""The downlink: what the edge owes the router about deliveries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_edge.bridge.downlink import AWAITED_ACKS, Downlink, Receipt
from maim_protocol.frames import BridgeOutcome, EdgeFrame, Outcomes, Want


def told(downlink: Downlink) -> EdgeFrame:
    frame = EdgeFrame()
    downlink.fill(frame)
    return frame


def outcomes(frame: EdgeFrame) -> list[tuple[int, int, int]]:
    columns = frame.outcomes or Outcomes()
    return list(zip(columns.ordinals, columns.conns, columns.outcomes, strict=True))


def test_what_is_taken_is_told_once() -> None:
    downlink = Downlink()
    downlink.take(1, Want.DONE, 1)
    assert downlink.pending
    assert told(downlink).taken_through == 1
    assert not downlink.pending


def test_a_delivery_to_nobody_is_done_at_once() -> None:
    downlink = Downlink()
    downlink.take(1, Want.WRITTEN, 0)
    assert told(downlink).done == [(1, 1)]


def test_a_plain_delivery_is_done_when_every_connection_is() -> None:
    downlink = Downlink()
    downlink.take(1, Want.DONE, 2)
    Receipt(downlink, 1, 7, "m").written()
    assert told(downlink).done == []
    Receipt(downlink, 1, 8, "m").failed(BridgeOutcome.GONE)
    frame = told(downlink)
    assert frame.done == [(1, 1)]
    assert frame.outcomes is None


def test_a_write_is_reported_when_it_is_wanted() -> None:
    downlink = Downlink()
    downlink.take(1, Want.WRITTEN, 2)
    Receipt(downlink, 1, 7, "m").written()
    Receipt(downlink, 1, 8, "m").failed(BridgeOutcome.SLOW)
    frame = told(downlink)
    assert outcomes(frame) == [(1, 7, BridgeOutcome.WRITTEN), (1, 8, BridgeOutcome.SLOW)]
    assert frame.done == [(1, 1)]


def test_an_acknowledgement_that_is_wanted_ends_a_delivery() -> None:
    downlink = Downlink()
    downlink.take(1, Want.ACKED, 1)
    Receipt(downlink, 1, 7, "m").written()
    assert told(downlink).done == []
    downlink.acked(8, "m")
    downlink.acked(7, "other")
    assert not downlink.pending
    downlink.acked(7, "m")
    downlink.acked(7, "m")
    frame = told(downlink)
    assert outcomes(frame) == [(1, 7, BridgeOutcome.ACKED)]
    assert frame.done == [(1, 1)]


def test_a_client_that_leaves_acknowledges_nothing_more() -> None:
    downlink = Downlink()
    downlink.take(1, Want.ACKED, 1)
    Receipt(downlink, 1, 7, "m").written()
    downlink.closed(7)
    frame = told(downlink)
    assert outcomes(frame)[-1] == (1, 7, BridgeOutcome.GONE)
    assert frame.done == [(1, 1)]


def test_two_deliveries_of_one_msg_id_both_come_to_an_end() -> None:
    downlink = Downlink()
    for ordinal in (1, 2):
        downlink.take(ordinal, Want.ACKED, 1)
        Receipt(downlink, ordinal, 7, "same").written()
    downlink.acked(7, "same")
    frame = told(downlink)
    assert frame.done == [(1, 2)]
    assert outcomes(frame)[-1] == (2, 7, BridgeOutcome.ACKED)


def test_acknowledgements_that_never_come_are_given_up() -> None:
    downlink = Downlink()
    for ordinal in range(1, AWAITED_ACKS + 2):
        downlink.take(ordinal, Want.ACKED, 1)
        Receipt(downlink, ordinal, 7, f"m{ordinal}").written()
    assert told(downlink).done == [(1, 1)]


def test_receipts_of_an_ended_delivery_mean_nothing() -> None:
    downlink = Downlink()
    downlink.take(1, Want.DONE, 1)
    receipt = Receipt(downlink, 1, 7, "m")
    receipt.written()
    receipt.written()
    receipt.failed(BridgeOutcome.GONE)
    assert told(downlink).done == [(1, 1)]


@given(
    deliveries=st.lists(
        st.tuples(st.sampled_from(list(Want)), st.integers(0, 3)), min_size=1, max_size=20
    ),
    fates=st.lists(st.sampled_from(["written", "failed"]), min_size=60, max_size=60),
)
def test_every_delivery_ends_once_whatever_becomes_of_it(
    deliveries: list[tuple[Want, int]], fates: list[str]
) -> None:
    downlink = Downlink()
    fate = iter(fates)
    for ordinal, (want, fanout) in enumerate(deliveries, start=1):
        downlink.take(ordinal, want, fanout)
        for conn in range(fanout):
            receipt = Receipt(downlink, ordinal, conn, f"m{ordinal}")
            if next(fate) == "written":
                receipt.written()
            else:
                receipt.failed(BridgeOutcome.GONE)
    for conn in range(3):
        downlink.closed(conn)
    frame = told(downlink)
    assert frame.done == [(1, len(deliveries))]
    assert frame.taken_through == len(deliveries)
    wanted = sum(fanout for want, fanout in deliveries if want is not Want.DONE)
    last = {(ordinal, conn) for ordinal, conn, _ in outcomes(frame)}
    assert len(last) == wanted
