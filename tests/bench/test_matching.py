"""What was sent is matched with what came back."""

from __future__ import annotations

from maim_bench.matching import Matching

ONE, TWO = b"@@1", b"@@2"


def counts(matching: Matching) -> dict[str, int]:
    window = matching.window
    return {name: getattr(window, name) for name in ("sent", "delivered", "acked", "completed")}


def test_a_message_is_complete_when_it_is_delivered_and_acknowledged() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    assert matching.delivered(ONE, 1.5)
    assert counts(matching)["completed"] == 0
    assert matching.acked(ONE, 2.0)
    assert counts(matching) == {"sent": 1, "delivered": 1, "acked": 1, "completed": 1}
    assert matching.open == 0


def test_the_order_of_delivery_and_ack_is_all_the_same() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    assert matching.acked(ONE, 1.5)
    assert matching.delivered(ONE, 2.0)
    assert counts(matching)["completed"] == 1


def test_latency_is_that_of_the_delivery() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    matching.acked(ONE, 1.75)
    matching.delivered(ONE, 1.25)
    assert matching.window.latencies == [0.25]


def test_without_deliveries_the_ack_completes_and_has_the_latency() -> None:
    matching = Matching(deliveries=False, acks=True)
    matching.sent(ONE, 1.0)
    assert matching.acked(ONE, 1.5)
    assert matching.window.latencies == [0.5]
    assert counts(matching)["completed"] == 1


def test_acks_that_nobody_awaits_are_nothing() -> None:
    matching = Matching(deliveries=True, acks=False)
    matching.sent(ONE, 1.0)
    assert not matching.acked(ONE, 1.1)
    assert matching.window.duplicates == 0
    assert matching.delivered(ONE, 1.2)
    assert counts(matching)["completed"] == 1


def test_what_comes_twice_is_a_duplicate() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    matching.delivered(ONE, 1.1)
    assert not matching.delivered(ONE, 1.2)
    matching.acked(ONE, 1.3)
    assert not matching.acked(ONE, 1.4)
    assert matching.window.duplicates == 2


def test_a_refused_message_is_an_error_and_no_longer_on_its_way() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    assert matching.failed(ONE, "no_route")
    assert not matching.failed(ONE, "no_route")
    assert matching.open == 0
    assert matching.window.errors["no_route"] == 2


def test_a_message_that_waits_for_either_is_open() -> None:
    matching = Matching(deliveries=True, acks=True)
    matching.sent(ONE, 1.0)
    matching.sent(TWO, 1.0)
    matching.delivered(ONE, 1.1)
    matching.acked(TWO, 1.1)
    assert matching.open == 2


def test_many_latencies_are_folded_into_the_histogram() -> None:
    matching = Matching(deliveries=True, acks=False)
    for number in range(20_001):
        token = b"@@%d" % number
        matching.sent(token, 0.0)
        matching.delivered(token, 0.001)
    assert len(matching.window.latencies) == 1
    assert matching.window.to_dict()["completed"] == matching.window.histogram.total == 20_001
