"""When a peer is pinged and when it is given up: decisions without a clock."""

from __future__ import annotations

from maim_edge.websocket.keepalive import Beat, Keepalive, Pulse, Rhythm

RHYTHM = Rhythm(interval=10, timeout=10)


def beats(pulse: Pulse, *times: int, rhythm: Rhythm = RHYTHM) -> list[Beat]:
    return [pulse.beat(now, rhythm, unsent=0, held=False) for now in times]


def test_a_peer_that_answers_is_pinged_each_interval() -> None:
    pulse = Pulse()
    for now in (10, 20, 30):
        assert beats(pulse, now) == [Beat.PING]
        pulse.answered()


def test_a_peer_that_does_not_answer_is_dropped_after_the_timeout() -> None:
    assert beats(Pulse(), 10, 20) == [Beat.PING, Beat.DROP]


def test_a_timeout_below_the_interval_is_kept() -> None:
    rhythm = Rhythm(interval=10, timeout=3)
    assert beats(Pulse(), 10, 13, rhythm=rhythm) == [Beat.PING, Beat.DROP]
    pulse = Pulse()
    assert beats(pulse, 10, rhythm=rhythm) == [Beat.PING]
    pulse.answered()
    assert beats(pulse, 13, 16, 19, 22, rhythm=rhythm) == [Beat.NOTHING] * 3 + [Beat.PING]


def test_a_timeout_above_the_interval_counts_from_the_first_ping_that_is_owed() -> None:
    rhythm = Rhythm(interval=10, timeout=25)
    assert beats(Pulse(), 10, 20, 30, 40, rhythm=rhythm) == [Beat.PING] * 3 + [Beat.DROP]


def test_without_a_timeout_nobody_is_dropped() -> None:
    rhythm = Rhythm(interval=10, timeout=None)
    assert beats(Pulse(), *range(10, 1000, 10), rhythm=rhythm) == [Beat.PING] * 99


def test_a_peer_that_is_not_listened_to_is_not_dropped() -> None:
    pulse = Pulse()
    assert beats(pulse, 10) == [Beat.PING]
    for now in (20, 30, 40):
        assert pulse.beat(now, RHYTHM, unsent=0, held=True) is Beat.PING
    assert beats(pulse, 50) == [Beat.DROP]


def test_a_peer_that_still_takes_what_was_written_before_the_ping_is_not_dropped() -> None:
    pulse = Pulse()
    unsent = [900, 500, 100, 100]
    got = [pulse.beat(10 * i, RHYTHM, bytes_, held=False) for i, bytes_ in enumerate(unsent, 1)]
    assert got == [Beat.PING, Beat.PING, Beat.PING, Beat.DROP]


def test_an_interval_and_a_timeout_become_ticks_of_one_length() -> None:
    assert Keepalive(20, 20)._rhythm == Rhythm(32, 32)
    assert Keepalive(20, 5)._rhythm == Rhythm(128, 32)
    assert Keepalive(5, None)._rhythm == Rhythm(32, None)
