"""A hub with one attached edge, for tests that say a sentence each."""

from __future__ import annotations

import itertools

from maim_router import events as ev
from maim_router.events import Address, Session
from maim_router.hub import Hub
from tests.router.builders import EDGE, asked, inbound, received


class Desk:
    """A hub with one attached edge; `handled` may be changed."""

    def __init__(self) -> None:
        self.handled: set[str] = set()
        uuids = (f"uuid-{n}" for n in itertools.count(1))
        self.hub = Hub(self.handled, lambda: next(uuids))
        self.step(ev.EdgeAttached(EDGE))

    def step(self, event: ev.Event, now: float = 0.0) -> list[ev.Action]:
        return self.hub.step(event, now)

    def session(self, conn: int = 1) -> Session:
        found = self.hub.session(Address(EDGE, conn))
        assert found is not None
        return found

    def opened(self, conn: int = 1, user: str = "alice") -> Session:
        """Bring a connection up to the end."""
        self.step(ev.Opened(EDGE, asked(conn)))
        self.step(ev.Authenticated(Address(EDGE, conn), user))
        session = self.session(conn)
        self.step(ev.Registered(session))
        return session

    def received(self, ordinal: int, conn: int = 1, **about: str) -> list[ev.Action]:
        return self.step(received(inbound(ordinal, conn=conn, **about)))

    def relayed(self, ordinal: int, conn: int = 1) -> ev.Relay:
        """Receive a message that is passed on."""
        (relay,) = self.received(ordinal, conn)
        assert isinstance(relay, ev.Relay)
        return relay
