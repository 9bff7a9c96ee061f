"""A world around the hub: edges, clients, a map that is written late; it checks every rule."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from maim_protocol.bridge.frames import Admission, Live, Open
from maim_protocol.errors import ErrorCode, Refusal
from maim_router import events as ev
from maim_router.connection_map import Entry, MemoryConnectionMap
from maim_router.connection_map.session_modes import SessionMode, SessionModes
from maim_router.events import Address, EdgeKey, GaveWay, Session
from maim_router.hub import Hub

T = TypeVar("T")


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise AssertionError("expected a coroutine that does not wait")


@dataclass
class Client:
    """A connection as its edge knows it: waiting, admitted, refused or gone."""

    open: Open
    state: str = "waiting"
    admission: Admission | None = None


@dataclass
class Edge:
    """One edge process: what it would announce again, what it would replay."""

    key: EdgeKey
    attached: bool = False
    # The router reads on when the map holds what was announced; until then closes wait.
    reading: bool = False
    streams: int = 0
    closes: list[int] = field(default_factory=list)
    clients: dict[int, Client] = field(default_factory=dict)
    unsettled: dict[int, tuple[int, ev.Inbound]] = field(default_factory=dict)
    # May be answered twice: without an id each replay runs, without a client nobody listens.
    unwatched: set[int] = field(default_factory=set)


class World:
    """Feeds events and carries actions out, with the map written when `write_map` is called."""

    def __init__(self) -> None:
        self.handled = {"custom_handled"}
        ids = (f"uuid-{n}" for n in itertools.count())
        self.hub = Hub(self.handled, lambda: next(ids), 10.0)
        self.modes: dict[str, SessionMode] = {}
        self.map = MemoryConnectionMap(SessionModes(by_platform=self.modes))
        self.now = 0.0
        self.numbers = itertools.count(1)
        self.edges: dict[str, Edge] = {}
        self.asking: list[ev.Authenticate] = []
        self.accepted: dict[Address, str] = {}
        self.writes: deque[ev.Register | ev.Unregister | tuple[Edge, int]] = deque()
        self.running: list[ev.Relay | ev.Dispatch] = []
        self.ordered: list[Address] = []
        # The model: who is connected, as the application was told.
        self.connected: dict[Address, Session] = {}
        # Who gets the messages where others wait, as the application was told.
        self.active: dict[tuple[str, str], Address] = {}

    def edge(self, key: EdgeKey) -> Edge | None:
        """The edge of a key, if that run of it is attached now."""
        edge = self.edges.get(key.edge_id)
        return edge if edge is not None and edge.key == key and edge.attached else None

    def step(self, event: ev.Event) -> list[ev.Action]:
        actions = self.hub.step(event, self.now)
        for action in actions:
            self._carry_out(action)
        return actions

    def attach(self, edge: Edge) -> None:
        """Attach an edge: announce, ask again, replay."""
        edge.attached = True
        edge.streams += 1
        live = [Live(c.open, c.admission) for c in edge.clients.values() if c.admission]
        self.step(ev.EdgeAttached(edge.key, live))
        self.writes.append((edge, edge.streams))

    def _read_on(self, edge: Edge) -> None:
        edge.reading = True
        for client in list(edge.clients.values()):
            if client.state == "waiting":
                self.step(ev.Opened(edge.key, client.open))
        replayed = [message for _, message in edge.unsettled.values()]
        self.step(ev.Received(edge.key, replayed))
        for conn in edge.closes:
            self._closed(Address(edge.key, conn))
        edge.closes.clear()

    def come(self, edge: Edge, asked: Open) -> None:
        """Let a client shake hands."""
        edge.clients[asked.conn] = Client(asked)
        if edge.reading:
            self.step(ev.Opened(edge.key, asked))

    def lose(self, edge: Edge) -> None:
        edge.attached = edge.reading = False
        edge.closes.clear()
        self.step(ev.EdgeLost(edge.key))

    def leave(self, edge: Edge, conn: int) -> None:
        """Let a client go; the router hears of it only when the edge is attached."""
        del edge.clients[conn]
        self._unwatch(edge, conn)
        if edge.reading:
            self._closed(Address(edge.key, conn))
        elif edge.attached:
            edge.closes.append(conn)

    def _unwatch(self, edge: Edge, conn: int) -> None:
        edge.unwatched |= {n for n, (sender, _) in edge.unsettled.items() if sender == conn}

    def _closed(self, address: Address) -> None:
        before = self.connected.get(address)
        actions = self.step(ev.Closed(address, 1006))
        gone = [a for a in actions if isinstance(a, ev.NotifyDisconnected)]
        assert bool(gone) == (before is not None)

    def receive(self, edge: Edge, *messages: ev.Inbound) -> list[ev.Action]:
        """Let one frame come."""
        for message in messages:
            edge.unsettled[message.ordinal] = (message.conn, message)
            if not message.msg_id:
                edge.unwatched.add(message.ordinal)
        return self.step(ev.Received(edge.key, messages))

    def end(self, *actions: ev.Relay | ev.Dispatch, told: EdgeKey | None = None) -> None:
        """Say that relayed or dispatched messages ended well; `told` as in `Settled`."""
        for action in actions:
            self._remove(action)
            if action.session.edge == told:
                self._answer(told, action.message.ordinal)
        self.step(ev.Settled(actions, told))

    def fail(self, action: ev.Relay | ev.Dispatch) -> None:
        """Say that a relayed or dispatched message ended badly."""
        self._remove(action)
        self.step(ev.Failed(action, ErrorCode.NO_ROUTE, "nobody"))

    def _remove(self, action: ev.Relay | ev.Dispatch) -> None:
        self.running = [other for other in self.running if other is not action]

    def write_map(self, *, fails: bool = False) -> None:
        """Carry out the oldest write to the map and report it."""
        write = self.writes.popleft()
        if isinstance(write, tuple):
            edge, stream = write
            if edge.attached and edge.streams == stream:
                self._read_on(edge)
            return
        if isinstance(write, ev.Unregister):
            removed = finish(self.map.remove(write.address))
            self._activate(removed.activated if removed is not None else ())
            return
        session = write.session
        if fails:
            self.step(ev.NotRegistered(session))
            return
        assert session.address in self.accepted, "a refused one never reaches the map"
        added = finish(self.map.add(_entry(session)))
        if added.refused is not None:
            assert self.map.find(*_place(session)), "refused in favour of somebody"
        for one, why in added.ended:
            self._check(session, one, why)
        ended = [(one.address, why) for one, why in added.ended]
        passed = added.passed.address if added.passed else None
        self.step(ev.Registered(session, added.refused, ended, added.standby, passed))
        self._activate(added.activated)

    def _activate(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.step(ev.Activated(entry.address))

    def _check(self, session: Session, ended: Entry, why: GaveWay) -> None:
        """Nobody is sent away but for the label or the mode of the platform."""
        assert (ended.user_id, ended.platform) == (session.user_id, session.open.platform)
        match why:
            case GaveWay.LABEL:
                assert ended.label == session.open.label != ""
            case GaveWay.NEWER:
                assert self.modes[ended.platform] is SessionMode.REPLACE
            case GaveWay.OLDER:
                assert self.modes[ended.platform] is SessionMode.REJECT
                assert session.restored

    def _carry_out(self, action: ev.Action) -> None:
        match action:
            case ev.Authenticate():
                self.asking.append(action)
            case ev.Register() | ev.Unregister():
                self.writes.append(action)
            case ev.Admit(address, admission):
                client = self._waiting(address)
                assert admission.user_id == self.accepted[address]
                client.state, client.admission = "admitted", admission
            case ev.Refuse(address):
                del self.edges[address.edge.edge_id].clients[address.conn]
            case ev.Disconnect(address):
                self.ordered.append(address)
                self._unwatch(self.edges[address.edge.edge_id], address.conn)
            case ev.NotifyConnected(session):
                assert session.address not in self.connected
                assert self.hub.session(session.address) is session
                edge = self.edges[session.address.edge.edge_id]
                assert session.address.conn in {*edge.clients, *edge.closes}
                self.connected[session.address] = session
                if not session.standby:
                    self.active[_place(session)] = session.address
            case ev.NotifyActivated(session):
                assert self.connected[session.address] is session
                assert _place(session) not in self.active
                self.active[_place(session)] = session.address
            case ev.NotifyDisconnected(session):
                assert self.connected.pop(session.address) is session
                if self.active.get(_place(session)) == session.address:
                    del self.active[_place(session)]
            case ev.Relay(session) | ev.Dispatch(session):
                assert self.connected[session.address] is session
                assert session.user_id == self.accepted[session.address]
                assert isinstance(action, ev.Dispatch) == (action.message.type in self.handled)
                self.running.append(action)
            case ev.Settle(edge, ordinals):
                for ordinal in ordinals:
                    self._answer(edge, ordinal)
            case ev.Reject(edge, ordinal):
                self._answer(edge, ordinal)

    def _waiting(self, address: Address) -> Client:
        edge = self.edge(address.edge)
        assert edge is not None, "nobody is admitted on an edge that is gone"
        client = edge.clients[address.conn]  # a client that has left is not in there
        assert client.state == "waiting"
        return client

    def _answer(self, key: EdgeKey, ordinal: int) -> None:
        edge = self.edge(key)
        if edge is None:
            return
        answered = edge.unsettled.pop(ordinal, None)
        assert answered is not None or ordinal in edge.unwatched

    def accept(self, asked: ev.Authenticate) -> None:
        self.asking.remove(asked)
        self.accepted[asked.address] = asked.open.api_key
        self.step(ev.Authenticated(asked.address, asked.open.api_key))

    def refuse(self, asked: ev.Authenticate) -> None:
        self.asking.remove(asked)
        self.step(ev.Refused(asked.address, Refusal.UNAUTHENTICATED, "no"))


def _place(session: Session) -> tuple[str, str]:
    return session.user_id, session.open.platform


def _entry(session: Session) -> Entry:
    return Entry(session.uuid, session.user_id, session.edge, session.open, session.restored)
