"""What gives way in a full outbox: by policy, told and counted, within the bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maim_edge.bridge.downlink import Downlink, Receipt
from maim_edge.delivery.outbox import FRAME_BYTES, OVER_SECONDS, Outbox, OutFrame
from maim_edge.delivery.overflow import DISCONNECT, Handling, Policy
from maim_protocol.bridge.frames import BridgeOutcome, Want
from tests.edge.builders import delivery

NOW = 100.0
OLDEST = Handling(Policy.DROP_OLDEST)
NEWEST = Handling(Policy.DROP_NEWEST)
BLOCK = Handling(Policy.BLOCK, 5.0)
PLAIN = DISCONNECT


class Told(Downlink):
    """Hears what failed."""

    def __init__(self) -> None:
        super().__init__(print)
        self.failures: list[int] = []

    def report(self, receipt: Receipt, outcome: BridgeOutcome) -> None:
        assert outcome is BridgeOutcome.DROPPED
        self.failures.append(receipt.ordinal)


def expected(told: Told, ordinal: int) -> Receipt:
    return Receipt(told, ordinal, 7, Want.WRITTEN, delivery(f"m{ordinal}"))


class Box:
    """An outbox with room for `room` frames of one byte, and who hears of it."""

    def __init__(self, room: int = 3, number: int = 1_000_000) -> None:
        self.told = Told()
        self.limit = room * (FRAME_BYTES + 1)
        self.outbox = Outbox(self.limit, number)
        self.count = 0

    def put(self, handling: Handling, now: float = NOW, size: int = 1) -> bool:
        self.count += 1
        receipt = expected(self.told, self.count)
        return self.outbox.put(OutFrame((b"x" * size,), receipt, handling), now)

    def system(self, handling: Handling = PLAIN, now: float = NOW) -> bool:
        return self.outbox.put(OutFrame((b"s",), handling=handling), now)

    def waiting(self) -> list[int]:
        """The ordinals that wait; 0 is a frame of the edge's own."""
        found = []
        while (frame := self.outbox.first()) is not None:
            found.append(frame.receipt.ordinal if frame.receipt else 0)
            self.outbox.pop()
        assert self.outbox.bytes == 0
        return found


def key(text: str) -> Handling:
    return Handling(Policy.COALESCE, key=("alice", "custom_pos", text))


def test_drop_oldest_keeps_the_last() -> None:
    box = Box(3)
    assert all(box.put(OLDEST) for _ in range(10))
    assert box.told.failures == [1, 2, 3, 4, 5, 6, 7]
    assert len(box.outbox.dropped) == 7
    assert box.waiting() == [8, 9, 10]


def test_drop_newest_keeps_the_first() -> None:
    box = Box(3)
    assert all(box.put(NEWEST) for _ in range(10))
    assert box.told.failures == [4, 5, 6, 7, 8, 9, 10]
    assert box.waiting() == [1, 2, 3]


def test_a_later_message_takes_the_place_of_the_one_with_its_key() -> None:
    box = Box(10)
    for handling in (key("a"), PLAIN, key("b"), key("a"), key("b"), key("c")):
        assert box.put(handling)
    assert box.told.failures == [1, 3]
    assert box.waiting() == [4, 2, 5, 6]


def test_what_coalesces_without_a_key_drops_the_oldest() -> None:
    box = Box(2)
    for _ in range(4):
        assert box.put(Handling(Policy.COALESCE))
    assert box.waiting() == [3, 4]


def test_a_larger_message_that_does_not_fit_in_its_place_goes_to_the_end() -> None:
    box = Box(3)
    for handling in (key("a"), OLDEST, OLDEST):
        box.put(handling)
    assert box.put(key("a"), size=FRAME_BYTES)
    assert box.waiting() == [3, 4]
    assert box.told.failures == [1, 2]


def test_a_key_whose_message_was_written_begins_anew() -> None:
    box = Box(5)
    box.put(key("a"))
    box.outbox.pop()
    box.put(key("a"))
    assert box.waiting() == [2]
    assert box.told.failures == []


def test_a_frame_whose_pieces_are_partly_written_stays() -> None:
    box = Box(3)
    large = OutFrame((b"x", b"y", b"z"), expected(box.told, 99), key("a"))
    assert box.outbox.put(large, NOW)
    assert box.outbox.next_piece(2).first
    assert box.put(key("a"))
    for _ in range(5):
        assert box.put(OLDEST)
    assert 99 not in box.told.failures
    rest = [box.outbox.next_piece(2) for _ in range(2)]
    assert [(piece.data, piece.first, piece.last) for piece in rest] == [
        (b"y", False, False),
        (b"z", False, True),
    ]


def test_a_message_that_must_not_be_lost_drives_out_those_that_may() -> None:
    box = Box(3)
    for handling in (PLAIN, OLDEST, NEWEST):
        box.put(handling)
    assert box.put(PLAIN)
    assert box.system()
    assert not box.put(PLAIN)
    assert box.told.failures == [2, 3]
    assert box.waiting() == [1, 4, 0]


def test_a_message_that_may_be_lost_never_ends_the_connection() -> None:
    for handling in (OLDEST, NEWEST, key("a")):
        box = Box(2)
        box.put(PLAIN)
        box.put(PLAIN)
        assert box.put(handling)
        assert box.told.failures == [3]
        assert box.waiting() == [1, 2]


def test_nothing_is_dropped_when_that_makes_no_room() -> None:
    box = Box(3)
    for handling in (PLAIN, PLAIN, OLDEST):
        box.put(handling)
    assert box.put(OLDEST, size=2 * FRAME_BYTES)
    assert box.told.failures == [4]
    assert box.waiting() == [1, 2, 3]


def test_a_burst_over_the_number_drops_nothing_for_a_moment() -> None:
    box = Box(10_000, number=10)
    assert all(box.put(OLDEST) for _ in range(1000))
    assert box.put(OLDEST, NOW + OVER_SECONDS)
    assert box.outbox.dropped == []
    assert box.put(OLDEST, NOW + OVER_SECONDS + 0.1)
    assert len(box.outbox) == 10


def test_frames_of_the_edge_itself_end_what_takes_none_of_them() -> None:
    box = Box(3)
    assert [box.system() for _ in range(4)] == [True, True, True, False]
    assert box.outbox.dropped == []


def test_what_blocks_takes_one_message_over_the_bytes_and_then_none() -> None:
    box = Box(3)
    assert [box.put(BLOCK) for _ in range(5)] == [True, True, True, True, False]
    assert box.outbox.bytes == 4 * (FRAME_BYTES + 1)
    assert box.outbox.dropped == []


def test_what_blocks_waits_until_its_time_is_up() -> None:
    box = Box(1000, number=2)
    assert box.put(BLOCK)
    assert box.put(BLOCK)
    assert box.outbox.deadline is None
    assert box.put(BLOCK, NOW + 10)
    assert box.outbox.deadline == NOW + 15
    assert box.put(BLOCK, NOW + 14.9)
    assert not box.outbox.overdue(NOW + 14.9)
    assert box.outbox.overdue(NOW + 15)
    assert not box.put(BLOCK, NOW + 15)


def test_room_again_ends_the_wait_of_what_blocks() -> None:
    box = Box(1000, number=2)
    for _ in range(3):
        box.put(BLOCK)
    box.outbox.pop()
    assert box.outbox.deadline is not None
    box.outbox.pop()
    assert box.outbox.deadline is None
    assert box.put(BLOCK, NOW + 60)


def test_the_end_of_a_connection_has_no_deadline() -> None:
    box = Box(1, number=1)
    box.put(BLOCK)
    box.put(BLOCK)
    box.outbox.fail(BridgeOutcome.DROPPED)
    assert not box.outbox.overdue(NOW + 60)


handlings = st.sampled_from([PLAIN, OLDEST, NEWEST, BLOCK, key("a"), key("b")])
puts = st.tuples(st.just("put"), handlings, st.integers(1, 400))
systems = st.tuples(st.just("system"), st.just(PLAIN), st.just(1))
writes = st.tuples(st.just("write"), st.just(PLAIN), st.just(0))


@given(st.lists(st.one_of(puts, systems, writes), max_size=80), st.integers(1, 8))
def test_bounds_hold_and_every_message_has_one_end(
    steps: list[tuple[str, Handling, int]], number: int
) -> None:
    box = Box(5, number=number)
    written: list[int] = []
    refused: list[int] = []
    systems = [0, 0]
    largest, now = 0, NOW
    for what, handling, size in steps:
        now += 0.5
        if what == "put":
            largest = max(largest, size + FRAME_BYTES)
            if not box.put(handling, now, size):
                refused.append(box.count)
                assert handling.policy in (Policy.DISCONNECT, Policy.BLOCK)
        elif what == "system":
            systems[0] += box.system(now=now)
        elif (frame := box.outbox.first()) is not None:
            box.outbox.pop()
            written.append(frame.receipt.ordinal if frame.receipt else 0)
        assert box.outbox.bytes <= box.limit + largest
    written += box.waiting()
    systems[1] = written.count(0)
    ends = [ordinal for ordinal in written if ordinal] + refused + box.told.failures
    assert sorted(ends) == list(range(1, box.count + 1))
    assert systems[0] == systems[1]
    assert len(box.outbox.dropped) == len(box.told.failures)
