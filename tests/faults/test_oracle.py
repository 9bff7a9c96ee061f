"""The oracle of the fault suite knows a broken promise when it sees one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.oracle import Letter, Oracle


def test_a_letter_survives_being_written_down() -> None:
    letter = Letter("s1-alice", "bob", 12)
    assert Letter.read(str(letter)) == letter


def test_it_waits_for_an_answer_and_then_for_the_arrival() -> None:
    oracle = Oracle()
    letter = oracle.write("alice", "bob")
    assert (oracle.unanswered, oracle.missing, oracle.content) == ([letter], [], False)
    oracle.acked(letter)
    assert (oracle.unanswered, oracle.missing, oracle.content) == ([], [letter], False)
    oracle.arrived("bob", letter)
    assert oracle.content
    assert oracle.broken == []


def test_an_arrival_before_its_acknowledgement_is_as_good() -> None:
    oracle = Oracle()
    letter = oracle.write("alice", "bob")
    oracle.arrived("bob", letter)
    assert not oracle.content
    oracle.acked(letter)
    assert oracle.content


def test_once_is_the_most_unless_a_receiver_cannot_tell() -> None:
    oracle = Oracle(times={"old": 2})
    new, old = oracle.write("alice", "new"), oracle.write("alice", "old")
    for letter in (new, new, old, old):
        oracle.arrived(letter.receiver, letter)
    assert oracle.broken == ["alice>new#1 arrived 2 times"]
    oracle.arrived("old", old)
    assert oracle.broken[1:] == ["alice>old#1 arrived 3 times"]
    assert oracle.figures["twice"] == 2


def test_order_is_kept_for_each_pair_and_promised_for_no_other() -> None:
    oracle = Oracle()
    first, second = oracle.write("alice", "bob"), oracle.write("alice", "bob")
    other = oracle.write("carol", "bob")
    oracle.arrived("bob", second)
    oracle.arrived("bob", other)
    assert oracle.broken == []
    oracle.arrived("bob", first)
    assert oracle.broken == ["alice>bob#1 arrived after alice>bob#2"]


def test_a_duplicate_that_is_allowed_breaks_no_order() -> None:
    oracle = Oracle(times={"bob": 2})
    first, second = oracle.write("alice", "bob"), oracle.write("alice", "bob")
    for letter in (first, second, first, second):
        oracle.arrived("bob", letter)
    assert oracle.broken == []


def test_a_letter_is_for_its_receiver_alone_and_must_have_been_sent() -> None:
    oracle = Oracle()
    oracle.arrived("mallory", oracle.write("alice", "bob"))
    oracle.arrived("bob", Letter("alice", "bob", 7))
    assert oracle.broken == [
        "alice>bob#1 arrived at mallory",
        "alice>bob#7 arrived and was never sent",
    ]


def test_a_refusal_is_an_answer_and_only_an_excused_one_is_none_of_its_business() -> None:
    oracle = Oracle(excused=["no_route"])
    oracle.refused(oracle.write("alice", "bob"), "no_route: nobody is there")
    assert oracle.content
    assert oracle.broken == []
    oracle.refused(oracle.write("alice", "bob"), "internal: oops")
    assert oracle.broken == ["alice>bob#2 was refused: internal: oops"]


def test_the_report_names_what_is_wrong_and_no_more_of_it_than_asked() -> None:
    oracle = Oracle()
    for letter in [oracle.write("alice", "bob") for _ in range(5)]:
        oracle.acked(letter)
    report = oracle.report(most=2)
    assert "5 sent, 5 acknowledged" in report
    assert "acknowledged but not arrived:\n  alice>bob#1\n  alice>bob#2\n  and 3 more" in report


@given(st.data(), st.integers(1, 20))
def test_whatever_comes_once_and_in_order_is_never_broken(data: st.DataObject, count: int) -> None:
    oracle = Oracle()
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    letters = [oracle.write(*data.draw(st.sampled_from(pairs))) for _ in range(count)]
    answers = data.draw(st.permutations(letters))
    for letter in letters:
        oracle.arrived(letter.receiver, letter)
    for letter in answers:
        oracle.acked(letter)
    assert oracle.content
    assert oracle.broken == []


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_it_misses_exactly_what_was_acknowledged_and_never_came(came: list[bool]) -> None:
    oracle = Oracle()
    letters = [oracle.write("a", "b") for _ in came]
    for letter, arrives in zip(letters, came, strict=True):
        oracle.acked(letter)
        if arrives:
            oracle.arrived("b", letter)
    lost = [letter for letter, arrives in zip(letters, came, strict=True) if not arrives]
    assert oracle.missing == lost
    assert oracle.content == (not lost)
