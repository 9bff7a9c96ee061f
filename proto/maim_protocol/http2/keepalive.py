"""When to ask a silent peer for a sign of life, and when to give it up; pure, no clock."""

from __future__ import annotations

import enum

from maim_protocol.http2.events import Limits


class Action(enum.Enum):
    """What is due now."""

    NOTHING = enum.auto()
    PING = enum.auto()
    GIVE_UP = enum.auto()


class Keepalive:
    """Asks who was silent for `keepalive_seconds`; the answer may take `answer_seconds`.

    Set `heard` whenever anything comes. Until `begun` is set, words alone do not help: who
    connects and asks for nothing is given up.
    """

    def __init__(self, limits: Limits, *, begun: bool) -> None:
        self._limits = limits
        self._asked = False
        self.begun = begun
        self.heard = False
        self.seconds = limits.keepalive_seconds

    def step(self) -> Action:
        """Decide; call it again after `seconds`."""
        heard, self.heard = self.heard, False
        if not self.begun or (self._asked and not heard):
            return Action.GIVE_UP
        self._asked = not heard
        limits = self._limits
        self.seconds = limits.keepalive_seconds if heard else limits.answer_seconds
        return Action.NOTHING if heard else Action.PING
