"""The uplink: nothing is lost, the order per connection holds, the bounds are kept."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from maim_edge.bridge.uplink import CONN_BYTES, CONN_MESSAGES, FRAME_OPENS, Uplink
from maim_protocol.bridge.frames import CHUNK_BYTES, FRAME_MESSAGES, Closed, EdgeFrame, Open
from maim_protocol.bridge.transfers import Transfers
from maim_protocol.envelope import ClientFrame, Target

LARGE = CHUNK_BYTES * 3 + 1


def message(msg_id: str | None = "m", size: int = 10) -> ClientFrame:
    return ClientFrame("sys_std", msg_id, Target("bob", "qq"), b"x" * size)


def take_all(uplink: Uplink) -> list[EdgeFrame]:
    frames = []
    while (frame := uplink.gather()) is not None:
        frames.append(frame)
    return frames


def ids(frames: list[EdgeFrame]) -> list[str]:
    return [msg_id for frame in frames if frame.messages for msg_id in frame.messages.msg_ids]


def test_nothing_to_say_is_no_frame() -> None:
    assert Uplink(1000).gather() is None


def test_a_message_leaves_with_every_column() -> None:
    uplink = Uplink(1000)
    uplink.push(7, ClientFrame("custom_x", None, None, b"{}"))
    uplink.push(8, message("m1"))
    frame = uplink.gather()
    assert frame is not None
    columns = frame.messages
    assert columns is not None
    assert (columns.ordinals, columns.conns) == ([1, 2], [7, 8])
    assert (columns.msg_ids, columns.types) == (["", "m1"], ["custom_x", "sys_std"])
    assert (columns.target_keys, columns.target_platforms) == (["", "bob"], ["", "qq"])
    assert (columns.payloads, columns.transfers) == ([b"{}", b"x" * 10], [])


def test_settling_names_sender_and_msg_id_once() -> None:
    uplink = Uplink(1000)
    uplink.push(7, message("m1"))
    uplink.push(8, message(None))
    uplink.gather()
    assert uplink.unsettled == 2
    assert uplink.settle([(1, 2)]) == [(7, "m1")]
    assert uplink.settle([(1, 2)]) == uplink.settle([(1, 2**63)]) == []
    assert uplink.unsettled == 0


def test_a_message_may_be_settled_by_name() -> None:
    uplink = Uplink(1000)
    for msg_id in ("m1", None, "m3"):
        uplink.push(7, message(msg_id))
    assert uplink.settle_each([3, 2, 99]) == [(7, "m3")]
    assert uplink.unsettled == 1


def test_frames_hold_no_more_than_their_share() -> None:
    uplink = Uplink(2**40)
    for _ in range(FRAME_MESSAGES + 1):
        uplink.push(1, message())
    for _ in range(5):
        uplink.push(2, message(size=CHUNK_BYTES))
    uplink.close(Closed(1, 1000))
    frames = take_all(uplink)
    counts = [len(frame.messages.ordinals) for frame in frames if frame.messages]
    assert counts == [FRAME_MESSAGES, 5, 1]
    assert [closed.conn for closed in frames[-1].closes] == [1]


def test_the_share_of_a_connection_is_free_again_when_it_has_left() -> None:
    uplink = Uplink(2**40)
    assert [uplink.push(1, message()) for _ in range(CONN_MESSAGES)].count(False) == 1
    uplink.leave(1)
    assert uplink.has_capacity(1)
    uplink.settle([(1, CONN_MESSAGES)])
    assert uplink.unsettled == 0


def test_a_rejected_message_is_forgotten() -> None:
    uplink = Uplink(1000)
    uplink.push(7, message("m1"))
    uplink.gather()
    assert uplink.reject(1) == (7, "m1")
    assert uplink.reject(1) is None


def test_ordinals_stay_the_same_over_a_restart() -> None:
    uplink = Uplink(1000)
    uplink.push(1, message("a"))
    uplink.gather()
    uplink.push(2, message("b"))
    uplink.restart()
    (frame,) = take_all(uplink)
    assert frame.messages is not None
    assert dict(zip(frame.messages.msg_ids, frame.messages.ordinals, strict=True)) == {
        "a": 1,
        "b": 2,
    }


def test_a_close_leaves_behind_the_messages_of_its_connection() -> None:
    uplink = Uplink(10 * LARGE)
    uplink.push(1, message("large", LARGE))
    uplink.close(Closed(1, 1000))
    uplink.close(Closed(2, 1000))
    frames = take_all(uplink)
    closes = [(index, closed.conn) for index, f in enumerate(frames) for closed in f.closes]
    carrying = next(index for index, frame in enumerate(frames) if ids([frame]) == ["large"])
    assert all(index >= carrying for index, conn in closes if conn == 1)
    assert sorted(conn for _, conn in closes) == [1, 2]


def test_old_closes_and_opens_mean_nothing_to_a_new_stream() -> None:
    uplink = Uplink(1000)
    uplink.open(Open(1, "k", "qq"))
    uplink.close(Closed(2, 1000))
    uplink.restart()
    assert uplink.gather() is None


def test_handshakes_leave_in_frames_of_bounded_size() -> None:
    uplink = Uplink(1000)
    for conn in range(1, FRAME_OPENS + 11):
        uplink.open(Open(conn, "k", "qq"))
    assert [len(frame.opens) for frame in take_all(uplink)] == [FRAME_OPENS, 10]


def test_a_client_that_leaves_before_its_handshake_was_told_is_never_told() -> None:
    uplink = Uplink(1000)
    uplink.open(Open(1, "k", "qq"))
    uplink.close(Closed(1, 1006))
    assert uplink.gather() is None


def test_a_connection_has_room_until_its_share_is_unsettled() -> None:
    uplink = Uplink(2**40)
    for _ in range(CONN_MESSAGES):
        assert uplink.has_capacity(1)
        uplink.push(1, message())
    assert not uplink.has_capacity(1)
    assert uplink.has_capacity(2)
    uplink.push(2, message(size=CONN_BYTES))
    assert not uplink.has_capacity(2)


def test_one_message_of_any_size_is_let_in_and_then_nobody() -> None:
    uplink = Uplink(1000)
    uplink.push(1, message(size=5000))
    assert uplink.full
    assert not uplink.has_capacity(2)
    take_all(uplink)
    uplink.settle([(1, 1)])
    assert uplink.has_capacity(2)


def test_dropping_forgets_all_but_the_living() -> None:
    uplink = Uplink(1000)
    for conn in (1, 2):
        uplink.push(conn, message(f"sent{conn}"))
    uplink.gather()
    for conn in (1, 2):
        uplink.push(conn, message(f"waits{conn}"))
    uplink.drop([2])
    assert uplink.unsettled == 2
    assert ids(take_all(uplink)) == ["sent2", "waits2"]
    uplink.drop([])
    assert uplink.unsettled == 0
    assert not uplink.full


class Replay(RuleBasedStateMachine):
    """Any history of pushes, frames, settlements, rejections and new streams."""

    def __init__(self) -> None:
        super().__init__()
        self.uplink = Uplink(2**40)
        self.pushed: dict[int, list[str]] = defaultdict(list)
        self.settled: set[str] = set()
        self.arrived: dict[int, list[str]] = defaultdict(list)
        self.ordinals: dict[str, int] = {}
        self.transfers = Transfers()

    @rule(conn=st.integers(1, 3), size=st.sampled_from([1, CHUNK_BYTES, LARGE]))
    def push(self, conn: int, size: int) -> None:
        msg_id = f"{conn}-{len(self.pushed[conn])}"
        self.uplink.push(conn, message(msg_id, size))
        self.pushed[conn].append(msg_id)

    @rule()
    def take(self) -> None:
        self._take()

    def _take(self) -> bool:
        frame = self.uplink.gather()
        if frame is None:
            return False
        self.transfers.add(frame.chunks)
        columns = frame.messages
        if columns is None:
            return True
        for row, msg_id in enumerate(columns.msg_ids):
            transfer = columns.transfers[row] if columns.transfers else 0
            payload = self.transfers.finish(transfer) if transfer else columns.payloads[row]
            assert len(payload) in (1, CHUNK_BYTES, LARGE)
            self.arrived[columns.conns[row]].append(msg_id)
            assert self.ordinals.setdefault(msg_id, columns.ordinals[row]) == columns.ordinals[row]
        return True

    @precondition(lambda self: any(self.arrived.values()))
    @rule(data=st.data(), take=st.booleans())
    def answer(self, data: st.DataObject, take: bool) -> None:
        known = [msg_id for seen in self.arrived.values() for msg_id in seen]
        msg_id = data.draw(st.sampled_from(known))
        ordinal = self.ordinals[msg_id]
        answered = self.uplink.settle([(ordinal, ordinal)]) if take else self.uplink.reject(ordinal)
        assert bool(answered) == (msg_id not in self.settled)
        self.settled.add(msg_id)

    @rule()
    def restart(self) -> None:
        self.uplink.restart()
        self.arrived.clear()
        self.transfers = Transfers()

    @invariant()
    def order_per_connection_holds(self) -> None:
        for conn, seen in self.arrived.items():
            positions = [self.pushed[conn].index(msg_id) for msg_id in seen]
            assert positions == sorted(set(positions))

    @invariant()
    def everything_unsettled_is_kept(self) -> None:
        total = sum(len(pushed) for pushed in self.pushed.values())
        assert self.uplink.unsettled == total - len(self.settled)

    def teardown(self) -> None:
        self.uplink.restart()
        self.arrived.clear()
        self.transfers = Transfers()
        while self._take():
            pass
        for conn, pushed in self.pushed.items():
            missing = [msg_id for msg_id in pushed if msg_id not in self.settled]
            assert self.arrived[conn] == missing


TestReplay = Replay.TestCase
TestReplay.settings = settings(max_examples=60, stateful_step_count=40)
