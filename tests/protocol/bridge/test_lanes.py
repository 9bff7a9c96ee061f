"""What leaves over the bridge, and in which order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maim_protocol.bridge.frames import CHUNK_BYTES, FRAME_BYTES, FRAME_MESSAGES
from maim_protocol.bridge.lanes import Lanes
from maim_protocol.bridge.transfers import Transfers

LARGE = CHUNK_BYTES + 1
HUGE = 9 * CHUNK_BYTES + 7


@dataclass(frozen=True)
class Item:
    number: int
    conns: tuple[int, ...]
    payload: bytes = b""


class Receiver:
    """Reads frames as the other side does."""

    def __init__(self, lanes: Lanes[Item]) -> None:
        self.lanes = lanes
        self.transfers = Transfers()
        self.items: list[Item] = []
        self.order: dict[int, list[int]] = defaultdict(list)

    def frame(self) -> list[Item]:
        """Take one frame and check that it is whole and not too large."""
        chunks, items = self.lanes.take()
        self.transfers.add(chunks)
        for item, transfer in items:
            if transfer:
                assert self.transfers.finish(transfer) == item.payload
            for conn in item.conns:
                self.order[conn].append(item.number)
        inline = sum(len(item.payload) for item, transfer in items if not transfer)
        assert len(items) <= FRAME_MESSAGES
        assert sum(len(c.data) for c in chunks) + inline <= FRAME_BYTES + 2 * CHUNK_BYTES
        assert all(len(c.data) <= CHUNK_BYTES for c in chunks)
        self.items += [item for item, _ in items]
        return [item for item, _ in items]

    def everything(self) -> None:
        while self.lanes:
            self.frame()


CONNS = st.lists(st.integers(0, 3), max_size=3).map(tuple)
PUSHES = st.tuples(CONNS, st.sampled_from([0, 1, CHUNK_BYTES, LARGE, HUGE]), st.just(1))
BURSTS = st.tuples(
    CONNS, st.sampled_from([1, 3000]), st.integers(FRAME_MESSAGES - 1, FRAME_MESSAGES + 9)
)


@settings(max_examples=150)
@given(st.lists(st.none() | PUSHES | BURSTS, max_size=12))
def test_order_per_connection_holds_and_nothing_is_lost(
    steps: list[tuple[tuple[int, ...], int, int] | None],
) -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    pushed = 0
    expected: dict[int, list[int]] = defaultdict(list)
    for step in steps:
        if step is None:
            receiver.frame()
            continue
        conns, size, times = step
        for _ in range(times):
            pushed += 1
            lanes.push(Item(pushed, conns, bytes(size)))
            for conn in conns:
                expected[conn].append(pushed)
    receiver.everything()
    assert receiver.order == expected
    assert sorted(item.number for item in receiver.items) == list(range(1, pushed + 1))
    assert not lanes


@given(st.lists(st.none() | PUSHES, max_size=12))
def test_draining_gives_back_everything_that_is_left_in_order(
    steps: list[tuple[tuple[int, ...], int, int] | None],
) -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    expected: dict[int, list[int]] = defaultdict(list)
    for number, step in enumerate(steps):
        if step is None:
            receiver.frame()
            continue
        lanes.push(Item(number, step[0], bytes(step[1])))
        for conn in step[0]:
            expected[conn].append(number)
    for item in lanes.drain():
        for conn in item.conns:
            receiver.order[conn].append(item.number)
    assert receiver.order == expected
    assert not lanes
    assert not lanes


@given(st.lists(st.none() | PUSHES, max_size=12), st.integers(0, 3), st.lists(PUSHES, max_size=6))
def test_what_is_removed_leaves_the_rest_as_it_was(
    steps: list[tuple[tuple[int, ...], int, int] | None],
    unwanted: int,
    later: list[tuple[tuple[int, ...], int, int]],
) -> None:
    """However far the others are, and nothing unfinished stays with the receiver."""
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    pushed = []

    def push(conns: tuple[int, ...], size: int) -> None:
        pushed.append(Item(len(pushed), conns, bytes(size)))
        lanes.push(pushed[-1])

    for step in steps:
        if step is None:
            receiver.frame()
        else:
            push(step[0], step[1])
    removed = lanes.remove(lambda item: unwanted in item.conns)
    for conns, size, _ in later:
        push(conns, size)
    receiver.everything()
    gone = {item.number for item in removed}
    assert all(unwanted in item.conns for item in removed)
    for conn in range(4):
        left = [item for item in pushed if item.number not in gone]
        expected = [item.number for item in left for one in item.conns if one == conn]
        assert receiver.order[conn] == expected
    assert len(receiver.transfers) == 0


def test_a_large_item_that_is_half_sent_is_not_begun_again() -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    lanes.push(Item(1, (1,), bytes(HUGE)))
    lanes.push(Item(2, (2,), bytes(HUGE)))
    receiver.frame()
    assert [item.number for item in lanes.remove(lambda item: 2 in item.conns)] == [2]
    chunks, _ = lanes.take()
    assert {chunk.transfer for chunk in chunks} == {1}


def test_small_items_pass_a_large_one_of_another_connection() -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    lanes.push(Item(1, (1,), bytes(HUGE)))
    receiver.frame()
    lanes.push(Item(2, (2,), b"ping"))
    assert [item.number for item in receiver.frame()] == [2]
    receiver.everything()
    assert [item.number for item in receiver.items] == [2, 1]


@pytest.mark.parametrize("size", [0, 2000])
def test_a_large_item_goes_on_while_small_ones_fill_every_frame(size: int) -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    lanes.push(Item(0, (1,), bytes(LARGE)))
    for number in range(1, 3 * FRAME_MESSAGES):
        lanes.push(Item(number, (2,), bytes(size)))
    assert 0 in {item.number for item in receiver.frame() + receiver.frame()}


@pytest.mark.parametrize("size", [0, 2000])
def test_a_large_item_does_not_overtake_small_ones_of_an_earlier_frame(size: int) -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    for number in range(2 * FRAME_MESSAGES):
        lanes.push(Item(number, (1,), bytes(size)))
    lanes.push(Item(9999, (1,), bytes(LARGE)))
    receiver.everything()
    assert receiver.order[1][-1] == 9999


def test_what_touches_a_connection_behind_a_large_item_waits() -> None:
    lanes: Lanes[Item] = Lanes()
    receiver = Receiver(lanes)
    lanes.push(Item(1, (1,), bytes(HUGE)))
    lanes.push(Item(2, (1, 2)))
    lanes.push(Item(3, (2,)))
    lanes.push(Item(4, (3,)))
    receiver.everything()
    assert [item.number for item in receiver.items] == [4, 1, 2, 3]


def test_a_drained_lane_can_be_used_again() -> None:
    lanes: Lanes[Item] = Lanes()
    lanes.push(Item(1, (1,), bytes(HUGE)))
    lanes.push(Item(2, (2,)))
    lanes.take()
    lanes.drain()
    receiver = Receiver(lanes)
    lanes.push(Item(3, (1,), bytes(HUGE)))
    receiver.everything()
    assert [item.number for item in receiver.items] == [3]
