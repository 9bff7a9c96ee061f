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

    Set `heard_at` whenever anything comes. Until `begun` is set, words alone do not help: who
    connects and asks for nothing is given up. `due` is when to call `step`.
    """

    def __init__(self, limits: Limits, now: float, *, begun: bool) -> None:
        self._limits = limits
        self._asked_at: float | None = None
        self.begun = begun
        self.heard_at = now
        self.due = now + limits.keepalive_seconds

    def step(self, now: float) -> Action:
        """Decide; `due` is later then."""
        if not self.begun or (self._asked_at is not None and self.heard_at < self._asked_at):
            return Action.GIVE_UP
        self._asked_at = None
        self.due = self.heard_at + self._limits.keepalive_seconds
        if now < self.due:
            return Action.NOTHING
        self._asked_at = now
        self.due = now + self._limits.answer_seconds
        return Action.PING
