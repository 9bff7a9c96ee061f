"""A silent peer is asked, and given up when it does not answer."""

from __future__ import annotations

import pytest

from maim_protocol.http2.events import Limits
from maim_protocol.http2.keepalive import Action, Keepalive

LIMITS = Limits(keepalive_seconds=20, answer_seconds=10)


def test_a_peer_that_talks_is_left_alone() -> None:
    alive = Keepalive(LIMITS, 0, begun=True)
    for now in (20, 37, 52):
        alive.heard_at = now - 5
        assert alive.step(now) is Action.NOTHING
        assert alive.due == now + 15


def test_a_silent_one_is_asked_and_then_given_up() -> None:
    alive = Keepalive(LIMITS, 0, begun=True)
    assert alive.due == 20
    assert alive.step(20) is Action.PING
    assert alive.due == 30
    assert alive.step(30) is Action.GIVE_UP


@pytest.mark.parametrize("answered_at", [20, 29])
def test_one_that_answers_is_asked_again_after_a_while(answered_at: float) -> None:
    alive = Keepalive(LIMITS, 0, begun=True)
    assert alive.step(20) is Action.PING
    alive.heard_at = answered_at
    assert alive.step(30) is Action.NOTHING
    assert alive.due == answered_at + 20
    assert alive.step(alive.due) is Action.PING


def test_a_client_that_asks_for_nothing_is_given_up_though_it_talks() -> None:
    alive = Keepalive(LIMITS, 0, begun=False)
    alive.heard_at = 19
    assert alive.step(20) is Action.GIVE_UP
