"""Carries out what concerns a connection's coming and going: ask, write the map, report back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from maim_protocol.bridge import Open
from maim_protocol.envelope import SERVER
from maim_protocol.errors import Refusal
from maim_router import events as ev
from maim_router.auth import Auth, AuthAnswer, Denials
from maim_router.connection_map import ConnectionMap, Entry
from maim_router.delivery import MessageSequence
from maim_router.events import Address, EdgeKey, Session
from maim_router.handlers import metadata

log = logging.getLogger(__name__)

_Write = ev.Register | ev.Unregister
_Tasks = dict[asyncio.Task[None], EdgeKey]


@dataclass(slots=True)
class _Job:
    """A write to the map, and what is called when it is done, before anything else happens."""

    write: _Write
    then: list[Callable[[], None]] = field(default_factory=list)
    done: bool = False


class Admission:
    """Asks for each handshake in a task of its own; writes the map in one order for all.

    `report` takes the events that come of it.
    """

    def __init__(
        self,
        auth: Auth,
        connections: ConnectionMap,
        report: Callable[[ev.Event], None],
        sequence: MessageSequence,
    ) -> None:
        self.denials = Denials()
        self._auth = auth
        self._connections = connections
        self._report = report
        self._sequence = sequence
        self._asking: _Tasks = {}
        self._identifying: _Tasks = {}
        self._writes: asyncio.Queue[_Job] = asyncio.Queue()
        self._last: _Job | None = None
        self._writer: asyncio.Task[None] | None = None

    def authenticate(self, action: ev.Authenticate) -> None:
        """Ask the auth callback about a handshake."""
        edge = action.address.edge
        before = [task for task, of in self._identifying.items() if of == edge]
        self._start(self._asking, edge, self._ask(action, before))

    def identify(self, edge: EdgeKey, asked: Open, then: Callable[[str], None]) -> None:
        """Ask whose a connection was; empty: nobody's, or nobody can say."""

        async def ask() -> None:
            then((await self._authenticate(edge, asked)).user_id)

        self._start(self._identifying, edge, ask())

    def write(self, action: _Write) -> None:
        """Write to the map after everything that was to be written before."""
        self._last = _Job(action)
        self._writes.put_nowait(self._last)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_all())

    def after_writes(self, call: Callable[[], None]) -> None:
        """Call back when everything that was to be written by now is in the map.

        That is before anybody hears who takes over from a connection that was removed.
        """
        if self._last is None or self._last.done:
            call()
        else:
            self._last.then.append(call)

    async def settled(self, edge: EdgeKey) -> None:
        """Wait until what an edge announced is in the map, or was sent away."""
        if asking := [task for task, of in self._asking.items() if of == edge]:
            await asyncio.wait(asking)
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.after_writes(lambda: None if reached.done() else reached.set_result(None))
        await reached

    async def stop(self) -> None:
        """Cancel what still runs."""
        tasks = [*self._asking, *self._identifying, *([self._writer] if self._writer else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, tasks: _Tasks, edge: EdgeKey, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks[task] = edge
        task.add_done_callback(tasks.pop)

    async def _authenticate(self, edge: EdgeKey, asked: Open) -> AuthAnswer:
        try:
            answer = await self._auth.authenticate(metadata(Session(edge, asked)))
        except Exception:
            log.exception("authentication failed")
            text = "authentication failed, try again later"
            return AuthAnswer(code=Refusal.ROUTER_UNAVAILABLE, text=text)
        if answer.user_id == SERVER:
            log.warning("refused: the name %r is the router's own", SERVER)
            return AuthAnswer(text=f"a user cannot be called {SERVER!r}")
        if answer.user_id and self.denials.match(answer.user_id, asked.platform, asked.api_key):
            return AuthAnswer(code=Refusal.UNAUTHENTICATED, text="refused by the operator")
        return answer

    async def _ask(self, action: ev.Authenticate, before: Sequence[asyncio.Task[None]]) -> None:
        answer = await self._authenticate(action.address.edge, action.open)
        if before:
            # What came back from its user's last connection there is to be found first.
            await asyncio.wait(before)
        if answer.user_id:
            self._report(ev.Authenticated(action.address, answer.user_id))
        else:
            self._report(ev.Refused(action.address, answer.code, answer.text))

    async def _write_all(self) -> None:
        while True:
            job = await self._writes.get()
            activated = await self._carry_out(job.write)
            while job.then:
                job.then.pop(0)()
            job.done = True
            for entry in activated:
                self._report(ev.Activated(entry.address))

    async def _carry_out(self, write: _Write) -> Sequence[Entry]:
        """Write, and return who takes over from somebody else."""
        match write:
            case ev.Register(session):
                return await self._add(session)
            case ev.Unregister(address):
                return await self._remove(address)

    async def _add(self, session: Session) -> Sequence[Entry]:
        try:
            added = await self._connections.add(self._entry(session))
        except Exception:
            log.exception("connection map: %s was not added", session.uuid)
            self._report(ev.NotRegistered(session))
            return ()
        ended = tuple((entry.address, why) for entry, why in added.ended)
        passed = added.passed.address if added.passed is not None else None
        self._report(ev.Registered(session, added.refused, ended, added.standby, passed))
        return added.activated

    async def _remove(self, address: Address) -> Sequence[Entry]:
        try:
            removed = await self._connections.remove(address, self._sequence.next(time.time()))
        except Exception:
            log.exception("connection map: %s was not removed", address)
            return ()
        return removed.activated if removed is not None else ()

    def _entry(self, session: Session) -> Entry:
        since = self._sequence.next(time.time())
        return Entry(
            session.uuid, session.user_id, session.edge, session.open, session.restored, since
        )
