"""Every decision of the router: events in, actions out. No clock, no I/O, no random source."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from maim_protocol.bridge import Admission
from maim_protocol.close_codes import CloseCode
from maim_protocol.envelope import SYS_STD
from maim_protocol.errors import ErrorCode, Refusal
from maim_router import events as ev
from maim_router.deduplication import NEW, SETTLED, DedupWindow
from maim_router.events import Address, EdgeKey, GaveWay, Phase, Session

REPLACED = "replaced by a newer connection with the same label"
GAVE_WAY = {
    GaveWay.LABEL: (CloseCode.REPLACED, REPLACED),
    GaveWay.NEWER: (CloseCode.REPLACED, "replaced by a newer connection of the same user"),
    GaveWay.OLDER: (CloseCode.LIMITED, "the user has another connection on this platform"),
}
# RFC 6455 section 7.4.1: no close frame was seen.
LOST = 1006
# Looked up once: it is asked for each message, and an enumeration's attributes are slow.
OPEN = Phase.OPEN


@dataclass(slots=True)
class Counters:
    """What the hub has seen since the start."""

    total_auth_requests: int = 0
    successful_auths: int = 0
    failed_auths: int = 0
    messages_processed: int = 0
    custom_messages_processed: int = 0
    duplicate_messages_ignored: int = 0
    messages_relayed: int = 0
    messages_rejected: int = 0


class Hub:
    """The sessions of every attached edge and what may happen to them.

    `handled` holds the message types that have a handler (it may change at any time); the
    others are relayed. `new_uuid` makes the connection ids. Registers and unregisters have to
    be carried out in the order in which they were ordered.
    """

    def __init__(
        self, handled: Container[str], new_uuid: Callable[[], str], dedup_window: float = 600.0
    ) -> None:
        self.counters = Counters()
        self._handled = handled
        self._new_uuid = new_uuid
        self._dedup: DedupWindow[tuple[EdgeKey, int]] = DedupWindow(dedup_window)
        self._edges: dict[EdgeKey, dict[int, Session]] = {}

    def session(self, address: Address) -> Session | None:
        """Look a session up, in whatever phase it is."""
        return self._edges.get(address.edge, {}).get(address.conn)

    def sessions(self, edge: EdgeKey) -> int:
        """Count the sessions of an edge."""
        return len(self._edges.get(edge, ()))

    def step(self, event: ev.Event, now: float) -> list[ev.Action]:
        """Take one event at `now` (monotonic seconds) and say what shall be done, in order."""
        match event:
            case ev.Received():
                return self._received(event, now)
            case ev.Settled():
                return self._settled(event)
            case ev.Failed():
                return self._failed(event)
            case ev.Opened():
                return self._opened(event)
            case ev.Authenticated():
                return self._authenticated(event)
            case ev.Refused():
                return self._refused(event)
            case ev.Registered():
                return self._registered(event)
            case ev.Activated():
                return self._activated(event)
            case ev.NotRegistered():
                return self._not_registered(event)
            case ev.Closed():
                return self._closed(event)
            case ev.EdgeAttached():
                return list(self._edge_attached(event))
            case ev.EdgeLost():
                return self._edge_lost(event)

    def _opened(self, event: ev.Opened) -> list[ev.Action]:
        sessions = self._edges.get(event.edge)
        if sessions is None or event.open.conn in sessions:
            return []
        address = Address(event.edge, event.open.conn)
        sessions[event.open.conn] = Session(event.edge, event.open)
        self.counters.total_auth_requests += 1
        return [ev.Authenticate(address, event.open)]

    def _authenticated(self, event: ev.Authenticated) -> list[ev.Action]:
        session = self._in_phase(event.address, Phase.AUTHENTICATING)
        if session is None:
            return []
        self.counters.successful_auths += 1
        session.phase = Phase.REGISTERING
        session.uuid = session.uuid or self._new_uuid()
        session.user_id = event.user_id
        return [ev.Register(session)]

    def _refused(self, event: ev.Refused) -> list[ev.Action]:
        if self._in_phase(event.address, Phase.AUTHENTICATING) is None:
            return []
        self.counters.failed_auths += 1
        session = self._forget(event.address)
        if session is not None and session.restored:
            wrong = event.code == Refusal.UNAUTHENTICATED
            code = CloseCode.UNAUTHENTICATED if wrong else CloseCode.ROUTER_UNREACHABLE
            return [ev.Disconnect(event.address, code, event.text)]
        return [ev.Refuse(event.address, event.code, event.text)]

    def _registered(self, event: ev.Registered) -> list[ev.Action]:
        session = event.session
        if event.refused is not None:
            return self._gives_way(session, event.refused)
        actions: list[ev.Action] = []
        for address, why in event.ended:
            actions += self._ended(address, why, session.uuid)
        if self.session(session.address) is not session:
            # It left while the map was written; its removal was ordered then.
            return actions
        session.phase, session.standby = Phase.OPEN, event.standby
        if event.passed is not None and (passed := self._in_phase(event.passed, Phase.OPEN)):
            passed.standby = True
        if not session.restored:
            actions.append(ev.Admit(session.address, Admission(session.uuid, session.user_id)))
        return [*actions, ev.NotifyConnected(session)]

    def _activated(self, event: ev.Activated) -> list[ev.Action]:
        """Tell of a takeover, unless that for which it had waited never got so far."""
        session = self._in_phase(event.address, Phase.OPEN)
        if session is None or not session.standby:
            return []
        session.standby = False
        return [ev.NotifyActivated(session)]

    def _gives_way(self, session: Session, why: GaveWay) -> list[ev.Action]:
        """Refuse a connection for which there is no place, or end it if it was restored."""
        if self.session(session.address) is not session:
            return []
        self._forget(session.address)
        code, text = GAVE_WAY[why]
        if session.restored:
            return [ev.Disconnect(session.address, code, text)]
        return [ev.Refuse(session.address, Refusal.TOO_MANY_CONNECTIONS, text)]

    def _ended(self, address: Address, why: GaveWay, by: str) -> list[ev.Action]:
        """End a connection whose place was taken; the map has forgotten it already."""
        session = self._in_phase(address, Phase.OPEN)
        if session is None:
            return []
        self._forget(address)
        code, text = GAVE_WAY[why]
        order = ev.Disconnect(address, code, text)
        return [order, ev.NotifyDisconnected(session, code, text, by)]

    def _not_registered(self, event: ev.NotRegistered) -> list[ev.Action]:
        session = event.session
        if self.session(session.address) is not session:
            return []
        self._forget(session.address)
        text = "the connection map could not be written"
        if session.restored:
            return [ev.Disconnect(session.address, CloseCode.INTERNAL, text)]
        return [ev.Refuse(session.address, Refusal.ROUTER_UNAVAILABLE, text)]

    def _closed(self, event: ev.Closed) -> list[ev.Action]:
        session = self._forget(event.address)
        if session is None:
            return []
        return self._leaves(session, event.code, event.reason)

    def _leaves(self, session: Session, code: int, reason: str) -> list[ev.Action]:
        """Take a session that has ended out of the map, even while it is still being written."""
        if session.phase is Phase.AUTHENTICATING:
            return []
        actions: list[ev.Action] = [ev.Unregister(session.address)]
        if session.phase is Phase.OPEN:
            actions.append(ev.NotifyDisconnected(session, code, reason))
        return actions

    def _edge_attached(self, event: ev.EdgeAttached) -> Iterator[ev.Action]:
        sessions = self._edges.setdefault(event.edge, {})
        for live in event.live:
            admission = live.admission
            session = Session(event.edge, live.open, Phase.REGISTERING, restored=True)
            session.uuid, session.user_id = admission.connection_uuid, admission.user_id
            sessions[live.open.conn] = session
            yield ev.Register(session)
        for live in event.unproven:
            session = Session(event.edge, live.open, restored=True)
            session.uuid = live.admission.connection_uuid
            sessions[live.open.conn] = session
            self.counters.total_auth_requests += 1
            yield ev.Authenticate(session.address, live.open)

    def _edge_lost(self, event: ev.EdgeLost) -> list[ev.Action]:
        sessions = self._edges.pop(event.edge, {})
        reason = f"the edge {event.edge.edge_id} was lost"
        return [action for s in sessions.values() for action in self._leaves(s, LOST, reason)]

    def _received(self, event: ev.Received, now: float) -> list[ev.Action]:
        edge, recent = event.edge, self._dedup
        recent.advance(now)
        sessions = self._edges.get(edge, {})
        actions: list[ev.Action] = []
        for message in event.messages:
            session = sessions.get(message.conn)
            if session is None or session.phase is not OPEN:
                text = "the connection is not open"
                actions.append(self._reject(edge, message.ordinal, ErrorCode.INTERNAL, text))
                continue
            if message.msg_id:
                seen = recent.note(session.user_id, message.msg_id, (edge, message.ordinal))
                if seen is not NEW:
                    self.counters.duplicate_messages_ignored += 1
                    if seen is SETTLED:
                        actions.append(ev.Settle(edge, (message.ordinal,)))
                    continue
            actions += self._route(session, message)
        return actions

    def _route(self, session: Session, message: ev.Inbound) -> Sequence[ev.Action]:
        counters = self.counters
        counters.messages_processed += 1
        if message.type != SYS_STD:
            counters.custom_messages_processed += 1
        if message.type in self._handled:
            return (ev.Dispatch(session, message),)
        relay = ev.Relay(session, message)
        if message.target_key:
            counters.messages_relayed += 1
            return (relay,)
        text = f"no handler takes {message.type} and its payload names no message_dim"
        return self._failed(ev.Failed(relay, ErrorCode.UNKNOWN_TYPE, text))

    def _settled(self, event: ev.Settled) -> list[ev.Action]:
        told, recent = event.told, self._dedup
        untold: dict[EdgeKey, list[int]] = {}
        for ended in event.ended:
            session, message = ended.session, ended.message
            own = (session.edge, message.ordinal)
            waiting = recent.settle(session.user_id, message.msg_id) if message.msg_id else (own,)
            for waiter in waiting:
                edge, ordinal = waiter
                if edge != told or waiter != own:
                    untold.setdefault(edge, []).append(ordinal)
        return [ev.Settle(edge, ordinals) for edge, ordinals in untold.items()]

    def _failed(self, event: ev.Failed) -> list[ev.Action]:
        session, message = event.ended.session, event.ended.message
        waiting: Sequence[tuple[EdgeKey, int]] = ((session.edge, message.ordinal),)
        if message.msg_id:
            waiting = self._dedup.forget(session.user_id, message.msg_id)
        return [self._reject(edge, ordinal, event.code, event.text) for edge, ordinal in waiting]

    def _reject(self, edge: EdgeKey, ordinal: int, code: ErrorCode, text: str) -> ev.Reject:
        self.counters.messages_rejected += 1
        return ev.Reject(edge, ordinal, code, text)

    def _in_phase(self, address: Address, phase: Phase) -> Session | None:
        session = self.session(address)
        return session if session is not None and session.phase is phase else None

    def _forget(self, address: Address) -> Session | None:
        return self._edges.get(address.edge, {}).pop(address.conn, None)
