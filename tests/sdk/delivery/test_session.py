from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from maim_message.client.delivery.session import Bounds, Session

WIDE = Bounds(messages=1000, total_bytes=1_000_000, ttl_seconds=300)


def ids(session: Session) -> list[str]:
    return [kept.msg_id for kept in session.to_resend()]


def test_unacknowledged_messages_are_resent_in_the_order_they_were_sent() -> None:
    session = Session(WIDE)
    for msg_id in "abc":
        session.keep_sent(msg_id, b"x", now=0)
    assert session.settle("b")
    assert ids(session) == ["a", "c"]


def test_what_waited_for_a_link_follows_what_was_sent_on_an_earlier_one() -> None:
    session = Session(WIDE)
    session.keep_sent("sent", b"x", now=0)
    assert session.keep_waiting("waiting", b"x", now=1)
    assert ids(session) == ["sent", "waiting"]


def test_an_acknowledgement_of_something_unknown_changes_nothing() -> None:
    session = Session(WIDE)
    session.keep_sent("a", b"x", now=0)
    assert not session.settle("b")
    assert ids(session) == ["a"]


def test_a_message_that_waits_never_pushes_out_another() -> None:
    session = Session(Bounds(messages=1, total_bytes=100, ttl_seconds=300))
    assert session.keep_waiting("a", b"x", now=0)
    assert not session.keep_waiting("b", b"x", now=0)
    assert ids(session) == ["a"]


def test_a_message_that_goes_out_pushes_out_the_oldest() -> None:
    session = Session(Bounds(messages=2, total_bytes=100, ttl_seconds=300))
    assert session.keep_sent("a", b"x", now=0) == []
    assert session.keep_sent("b", b"x", now=0) == []
    assert session.keep_sent("c", b"x", now=0) == ["a"]


def test_one_message_alone_is_kept_whatever_its_size() -> None:
    session = Session(Bounds(messages=2, total_bytes=10, ttl_seconds=300))
    assert session.keep_waiting("large", bytes(1000), now=0)
    assert not session.keep_waiting("small", b"x", now=0)


def test_messages_are_kept_for_their_time_only() -> None:
    session = Session(WIDE)
    session.keep_sent("old", b"x", now=0)
    session.keep_sent("new", b"x", now=10)
    assert session.expire(now=300) == ["old"]
    assert ids(session) == ["new"]


def test_a_close_for_size_drops_the_largest_frame_that_was_sent() -> None:
    session = Session(WIDE)
    session.keep_sent("small", b"x", now=0)
    session.keep_sent("large", bytes(100), now=0)
    session.keep_waiting("larger, but never sent", bytes(200), now=0)
    assert session.drop_largest_sent() == "large"
    assert ids(session) == ["small", "larger, but never sent"]


def test_nothing_sent_means_nothing_to_drop() -> None:
    assert Session(WIDE).drop_largest_sent() is None


def test_a_message_is_new_once_for_each_sender() -> None:
    session = Session(WIDE)
    seen = [session.is_new(*key) for key in (("u", "1"), ("u", "1"), ("v", "1"), (None, "1"))]
    assert seen == [True, False, True, True]


def test_a_message_that_is_forgotten_is_new_again() -> None:
    session = Session(WIDE)
    assert session.is_new("u", "1")
    session.forget("v", "1")
    assert not session.is_new("u", "1")
    session.forget("u", "1")
    assert session.is_new("u", "1")


def test_the_window_of_received_messages_is_bounded() -> None:
    session = Session(WIDE, seen_messages=2)
    for msg_id in "abc":
        session.is_new("u", msg_id)
    assert session.is_new("u", "a")
    assert not session.is_new("u", "c")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40), st.booleans())))
def test_the_bounds_hold_whatever_is_kept(steps: list[tuple[str, int, bool]]) -> None:
    session = Session(Bounds(messages=3, total_bytes=60, ttl_seconds=300))
    for msg_id, size, sent in steps:
        keep = session.keep_sent if sent else session.keep_waiting
        keep(msg_id, bytes(size), now=0)
        assert len(session) <= 3
        assert session.kept_bytes == sum(len(kept.frame) for kept in session.to_resend()) <= 60


class SessionAgainstAList(RuleBasedStateMachine):
    """Unbounded and without time, a session is a list that acknowledgements take from."""

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(Bounds(10**6, 10**9, 10**6))
        self.model: list[str] = []
        self.count = 0

    @rule(sent=st.booleans())
    def send(self, sent: bool) -> None:
        self.count += 1
        keep = self.session.keep_sent if sent else self.session.keep_waiting
        keep(str(self.count), b"x", now=self.count)
        self.model.append(str(self.count))

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        if self.count:
            msg_id = str(data.draw(st.integers(1, self.count)))
            assert self.session.settle(msg_id) == (msg_id in self.model)
            self.model = [each for each in self.model if each != msg_id]

    @invariant()
    def nothing_is_lost_and_the_order_is_kept(self) -> None:
        assert ids(self.session) == self.model


TestSessionAgainstAList = SessionAgainstAList.TestCase
