"""What waits to leave for one edge, and in which order it leaves."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from maim_protocol.bridge.frames import (
    CHUNK_BYTES,
    FRAME_BYTES,
    FRAME_MESSAGES,
    Chunk,
    DisconnectOrder,
    Want,
)
from maim_protocol.bridge.lanes import ITEM_BYTES
from maim_protocol.bridge.transfers import Transfers
from maim_router.bridge.outbound import Close, Delivery, Outbound, Outgoing, Taken
from maim_router.events import Relay
from tests.router.builders import inbound, session

LARGE = CHUNK_BYTES + 1


def delivery(number: int = 1, conn: int = 1, size: int = 2, settles: int = 0) -> Delivery:
    """A message that is known by its number, for one connection."""
    message = Outgoing(str(number), "sys_std", bytes(size), 1.5, "alice", "qq", "bob", "wx")
    relay = Relay(session(), inbound(number))
    return Delivery(message, (conn,), relay, Want.DONE, settles)


def numbered(number: int, conn: int, size: int = 2) -> Delivery:
    """One that must not be lost."""
    one = delivery(number, conn, size)
    return structs.replace(one, message=structs.replace(one.message, number=number))


def close(conn: int) -> Close:
    return Close(DisconnectOrder(conn, 4000, "bye"))


def numbers(*frames: Taken) -> list[int]:
    return [int(item.message.msg_id) for frame in frames for item in frame.deliveries]


def all_frames(outbound: Outbound) -> list[Taken]:
    frames = []
    while outbound:
        frames.append(outbound.take())
    return frames


def test_what_fits_leaves_in_one_frame_in_its_order() -> None:
    outbound = Outbound()
    for number in range(FRAME_MESSAGES):
        outbound.push(delivery(number))
    (frame,) = all_frames(outbound)
    assert numbers(frame) == list(range(FRAME_MESSAGES))


def test_no_frame_holds_more_messages_than_the_cap() -> None:
    outbound = Outbound()
    for number in range(2 * FRAME_MESSAGES + 1):
        outbound.push(delivery(number))
    frames = all_frames(outbound)
    assert [len(frame.deliveries) for frame in frames] == [FRAME_MESSAGES, FRAME_MESSAGES, 1]
    assert numbers(*frames) == list(range(2 * FRAME_MESSAGES + 1))


@pytest.mark.parametrize("size", [CHUNK_BYTES, CHUNK_BYTES // 3])
def test_no_frame_holds_more_bytes_than_the_cap(size: int) -> None:
    outbound = Outbound()
    for number in range(30):
        outbound.push(delivery(number, size=size))
    frames = all_frames(outbound)
    assert numbers(*frames) == list(range(30))
    for frame in frames:
        total = sum(len(item.payload) + ITEM_BYTES for item in frame.deliveries)
        assert FRAME_BYTES - size - ITEM_BYTES < total <= FRAME_BYTES or frame is frames[-1]


def test_a_close_leaves_with_or_after_what_was_sent_before_it() -> None:
    outbound = Outbound()
    outbound.push(delivery(1))
    outbound.push(close(1))
    for number in range(FRAME_MESSAGES):
        outbound.push(delivery(number, conn=2))
    outbound.push(close(2))
    first, second = all_frames(outbound)
    assert numbers(first)[0] == 1
    assert [order.conn for order in first.disconnects] == [1]
    assert [order.conn for order in second.disconnects] == [2]


def test_small_ones_pass_a_large_one_that_is_under_way() -> None:
    outbound = Outbound()
    outbound.push(delivery(1, conn=1, size=20 * CHUNK_BYTES))
    outbound.take()
    outbound.push(delivery(2, conn=2))
    outbound.push(delivery(3, conn=1))
    assert numbers(outbound.take()) == [2]
    assert numbers(*all_frames(outbound)) == [1, 3]
    outbound.push(delivery(4))
    assert numbers(outbound.take()) == [4]


def test_what_is_given_up_is_returned_whole() -> None:
    outbound = Outbound()
    items = [delivery(1), delivery(2, size=LARGE), delivery(3)]
    for item in items:
        outbound.push(item)
    outbound.push(close(1))
    assert outbound.drain() == items
    assert not outbound


def test_what_is_taken_back_leaves_what_is_for_others() -> None:
    outbound = Outbound()
    for number, conn in enumerate((1, 2, 1, 2), 1):
        outbound.push(numbered(number, conn))
    outbound.push(close(1))
    assert [int(item.message.msg_id) for item in outbound.reclaim(1)] == [1, 3]
    frame = outbound.take()
    assert numbers(frame) == [2, 4]
    assert [order.conn for order in frame.disconnects] == [1]


def test_taking_back_large_ones_leaves_no_piece_with_the_edge() -> None:
    outbound, transfers = Outbound(), Transfers()
    for number in range(1, 20):
        outbound.push(numbered(number, 1, size=20 * CHUNK_BYTES))
        outbound.push(numbered(100 + number, 2))
        transfers.add(outbound.take().chunks)
        assert len(outbound.reclaim(1)) == 1
    frames = all_frames(outbound)
    assert numbers(*frames) == []
    for frame in frames:
        transfers.add(frame.chunks)
    assert len(transfers) == 0


def test_columns_number_the_deliveries_and_name_their_transfers() -> None:
    taken = Taken([delivery(1), delivery(2, settles=9)], transfers=[0, 4])
    columns = taken.columns(7)
    assert columns.ordinals == [7, 8]
    assert columns.settles == [0, 9]
    assert (columns.payloads, columns.transfers) == ([bytes(2), b""], [0, 4])


Pushes = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([0, 2, CHUNK_BYTES, LARGE, 3 * LARGE, None])),
    max_size=30,
)


@given(Pushes, st.sets(st.integers(0, 29)))
def test_each_connection_gets_its_own_in_order_whatever_waits(
    pushes: list[tuple[int, int | None]], takes: set[int]
) -> None:
    outbound, frames = Outbound(), []
    expected: dict[int, list[int | str]] = defaultdict(list)
    for number, (conn, size) in enumerate(pushes):
        outbound.push(close(conn) if size is None else delivery(number, conn, size))
        expected[conn].append("close" if size is None else number)
        if number in takes:
            frames.append(outbound.take())
    frames += all_frames(outbound)
    sizes = {number: size for number, (_, size) in enumerate(pushes)}
    assert _received(frames, sizes) == _as_edges_read(expected)


def _received(
    frames: list[Taken], sizes: dict[int, int | None]
) -> dict[int, tuple[list[int], int]]:
    """Messages in order and the number of closes, a connection; payloads must be whole."""
    transfers = Transfers()
    found: dict[int, tuple[list[int], int]] = {}
    for frame in frames:
        transfers.add(Chunk(chunk.transfer, chunk.data) for chunk in frame.chunks)
        columns = frame.columns(1)
        cut = columns.transfers or [0] * len(columns.ordinals)
        for number, item, payload, transfer in zip(
            numbers(frame), frame.deliveries, columns.payloads, cut, strict=True
        ):
            whole = transfers.finish(transfer) if transfer else payload
            assert len(whole) == sizes[number]
            messages, closes = found.get(item.conns[0], ([], 0))
            found[item.conns[0]] = ([*messages, number], closes)
        for order in frame.disconnects:
            messages, closes = found.get(order.conn, ([], 0))
            found[order.conn] = (messages, closes + 1)
    return found


def _as_edges_read(expected: dict[int, list[int | str]]) -> dict[int, tuple[list[int], int]]:
    return {
        conn: ([one for one in items if isinstance(one, int)], items.count("close"))
        for conn, items in expected.items()
    }
