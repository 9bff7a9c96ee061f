"""When a peer is pinged and when it is given up: decisions without a clock."""

from __future__ import annotations

from maim_edge.websocket.keepalive import Keepalive, PingAction, PingState, PingTiming

RHYTHM = PingTiming(interval=10, timeout=10)


def beats(pulse: PingState, *times: int, timing: PingTiming = RHYTHM) -> list[PingAction]:
    return [pulse.tick(now, timing, unsent=0, paused=False) for now in times]


def test_a_peer_that_answers_is_pinged_each_interval() -> None:
    pulse = PingState()
    for now in (10, 20, 30):
        assert beats(pulse, now) == [PingAction.PING]
        pulse.answered()


def test_a_peer_that_does_not_answer_is_dropped_after_the_timeout() -> None:
    assert beats(PingState(), 10, 20) == [PingAction.PING, PingAction.DROP]


def test_a_timeout_below_the_interval_is_kept() -> None:
    timing = PingTiming(interval=10, timeout=3)
    assert beats(PingState(), 10, 13, timing=timing) == [PingAction.PING, PingAction.DROP]
    pulse = PingState()
    assert beats(pulse, 10, timing=timing) == [PingAction.PING]
    pulse.answered()
    assert beats(pulse, 13, 16, 19, 22, timing=timing) == [PingAction.NOTHING] * 3 + [
        PingAction.PING
    ]


def test_a_timeout_above_the_interval_counts_from_the_first_ping_that_is_owed() -> None:
    timing = PingTiming(interval=10, timeout=25)
    assert beats(PingState(), 10, 20, 30, 40, timing=timing) == [PingAction.PING] * 3 + [
        PingAction.DROP
    ]


def test_without_a_timeout_nobody_is_dropped() -> None:
    timing = PingTiming(interval=10, timeout=None)
    assert beats(PingState(), *range(10, 1000, 10), timing=timing) == [PingAction.PING] * 99


def test_a_peer_that_is_not_listened_to_is_not_dropped() -> None:
    pulse = PingState()
    assert beats(pulse, 10) == [PingAction.PING]
    for now in (20, 30, 40):
        assert pulse.tick(now, RHYTHM, unsent=0, paused=True) is PingAction.PING
    assert beats(pulse, 50) == [PingAction.DROP]


def test_a_peer_that_still_takes_what_was_written_before_the_ping_is_not_dropped() -> None:
    pulse = PingState()
    unsent = [900, 500, 100, 100]
    got = [pulse.tick(10 * i, RHYTHM, bytes_, paused=False) for i, bytes_ in enumerate(unsent, 1)]
    assert got == [PingAction.PING, PingAction.PING, PingAction.PING, PingAction.DROP]


def test_an_interval_and_a_timeout_become_ticks_of_one_length() -> None:
    assert Keepalive(20, 20)._timing == PingTiming(32, 32)
    assert Keepalive(20, 5)._timing == PingTiming(128, 32)
    assert Keepalive(5, None)._timing == PingTiming(32, None)
