"""Handshakes that wait for the router's verdict, and the connections that got a good one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from maim_protocol.bridge import Admission, Live, Open, Refused, Verdict
from maim_protocol.errors import RouterUnavailable


class Verdicts:
    """Who asks and who is live; `live` is what a new router has to be told."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Open, asyncio.Future[Admission | Refused]]] = {}
        self._live: dict[int, Live] = {}

    @property
    def live(self) -> Sequence[Live]:
        """The connections that a router has admitted."""
        return list(self._live.values())

    def of(self, conn: int) -> Live | None:
        """Tell what a router admitted of a connection."""
        return self._live.get(conn)

    def ask(self, asked: Open) -> asyncio.Future[Admission | Refused]:
        """Note a handshake; the answer may be a `RouterUnavailable`."""
        future: asyncio.Future[Admission | Refused] = asyncio.get_running_loop().create_future()
        self._waiting[asked.conn] = (asked, future)
        return future

    def answer(self, verdict: Verdict) -> None:
        """Hand a verdict to whoever still waits for it."""
        waiting = self._waiting.pop(verdict.conn, None)
        if waiting is None or waiting[1].done():
            return
        asked, future = waiting
        if isinstance(verdict.answer, Admission):
            # Live from here on: a stream that breaks before the next line must announce it.
            self._live[verdict.conn] = Live(asked, verdict.answer)
        future.set_result(verdict.answer)

    def forget(self, conn: int) -> bool:
        """Forget a connection that is gone; False when it was not known."""
        waited = self._waiting.pop(conn, None)
        return self._live.pop(conn, None) is not None or waited is not None

    def lose(self) -> None:
        """Tell everybody who waits that the router was lost."""
        waiting, self._waiting = self._waiting, {}
        for _, future in waiting.values():
            if not future.done():
                future.set_exception(RouterUnavailable("the router was lost"))
