"""The hub under every order of events that edges, clients, callbacks and a slow map can make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from maim_protocol.bridge.frames import Open
from maim_protocol.errors import Refusal
from maim_router import events as ev
from maim_router.connection_map.session_modes import SessionMode
from maim_router.events import Address, EdgeKey, Phase
from tests.router.hub.world import Client, Edge, World

EDGE_IDS = st.sampled_from(["e1", "e2"])
USERS = st.sampled_from(["alice", "bob"])
PLATFORMS = st.sampled_from(["qq", "wx"])
LABELS = st.sampled_from(["", "L"])
TYPES = st.sampled_from(["sys_std", "custom_handled", "custom_unknown"])
MODES = st.sampled_from(SessionMode)
PICK = st.integers(0, 99)


class HubModel(RuleBasedStateMachine):
    """Two edges, two users, one label: collisions are the rule."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.epochs = 0
        self.past: list[Address] = []

    def _clients(self, usable: Callable[[Edge, Client], bool]) -> list[tuple[Edge, int]]:
        edges = self.world.edges.values()
        return [(e, conn) for e in edges for conn, c in e.clients.items() if usable(e, c)]

    @initialize(qq=MODES, wx=MODES)
    def the_edges_start(self, qq: SessionMode, wx: SessionMode) -> None:
        self.world.modes.update(qq=qq, wx=wx)
        for edge_id in ("e1", "e2"):
            self.a_new_run_of_an_edge_attaches(edge_id)
        while self.world.writes:
            self.world.write_map()

    @rule(edge_id=EDGE_IDS)
    def a_new_run_of_an_edge_attaches(self, edge_id: str) -> None:
        earlier = self.world.edges.get(edge_id)
        if earlier is not None:
            self.past += [Address(earlier.key, conn) for conn in earlier.clients]
            if earlier.attached:
                self.world.lose(earlier)
        self.epochs += 1
        edge = self.world.edges[edge_id] = Edge(EdgeKey(edge_id, self.epochs))
        self.world.attach(edge)

    @rule(pick=PICK)
    def a_stream_breaks(self, pick: int) -> None:
        edges = [edge for edge in self.world.edges.values() if edge.attached]
        if edges:
            self.world.lose(edges[pick % len(edges)])

    @rule(pick=PICK)
    def the_same_run_attaches_again(self, pick: int) -> None:
        edges = list(self.world.edges.values())
        edge = edges[pick % len(edges)]
        if edge.attached:
            self.world.lose(edge)
        self.world.attach(edge)

    @rule(pick=PICK, user=USERS, platform=PLATFORMS, label=LABELS, skew=st.integers(-2, 2))
    def a_client_comes(self, pick: int, user: str, platform: str, label: str, skew: int) -> None:
        edges = [edge for edge in self.world.edges.values() if edge.attached]
        if not edges:
            return
        edge = edges[pick % len(edges)]
        conn = next(self.world.numbers)
        asked = Open(conn, user, platform, label, connected_at=self.world.now + skew)
        self.world.come(edge, asked)

    @rule(user=USERS, label=LABELS)
    def a_client_is_let_in_at_once(self, user: str, label: str) -> None:
        self.a_client_comes(0, user, "qq", label, 0)
        if self.world.asking:
            self.world.accept(self.world.asking[-1])
        while self.world.writes:
            self.world.write_map()

    @rule(pick=PICK)
    def a_stream_breaks_twice_while_the_map_is_slow(self, pick: int) -> None:
        for _ in range(2):
            self.the_same_run_attaches_again(pick)

    @rule(pick=PICK)
    def a_client_leaves(self, pick: int) -> None:
        clients = self._clients(lambda edge, client: True)
        if clients:
            edge, conn = clients[pick % len(clients)]
            self.past.append(Address(edge.key, conn))
            self.world.leave(edge, conn)

    @rule(pick=PICK, accepted=st.booleans())
    @precondition(lambda self: self.world.asking)
    def the_auth_callback_answers(self, pick: int, accepted: bool) -> None:
        asked = self.world.asking[pick % len(self.world.asking)]
        (self.world.accept if accepted else self.world.refuse)(asked)

    @rule(fails=st.sampled_from([False, False, False, True]))
    @precondition(lambda self: self.world.writes)
    def the_map_is_written(self, fails: bool) -> None:
        self.world.write_map(fails=fails)

    @rule(pick=PICK)
    @precondition(lambda self: self.world.ordered)
    def an_edge_carries_out_a_disconnect(self, pick: int) -> None:
        address = self.world.ordered.pop(pick % len(self.world.ordered))
        edge = self.world.edge(address.edge)
        if edge is not None and address.conn in edge.clients:
            self.past.append(address)
            self.world.leave(edge, address.conn)

    @rule(pick=PICK, msg_id=st.sampled_from(["", "m1", "m1"]), type=TYPES, targeted=st.booleans())
    def a_client_sends(self, pick: int, msg_id: str, type: str, targeted: bool) -> None:
        clients = self._clients(lambda edge, client: edge.reading and client.state == "admitted")
        if clients:
            edge, conn = clients[pick % len(clients)]
            self.world.receive(edge, self._message(conn, msg_id, type, targeted))

    @rule(pick=PICK, ids=st.lists(st.sampled_from(["", "m1", "m2"]), max_size=4), type=TYPES)
    def an_edge_sends_many_in_one_frame(self, pick: int, ids: list[str], type: str) -> None:
        edges = [edge for edge in self.world.edges.values() if edge.reading]
        if not edges:
            return
        edge = edges[pick % len(edges)]
        admitted = [conn for conn, c in edge.clients.items() if c.state == "admitted"]
        if admitted:
            senders = [admitted[(pick + n) % len(admitted)] for n in range(len(ids))]
            messages = [self._message(*row, type, True) for row in zip(senders, ids, strict=True)]
            self.world.receive(edge, *messages)

    @rule(pick=PICK, msg_id=st.sampled_from(["", "m1"]))
    def an_edge_lets_a_frame_through_before_the_admission(self, pick: int, msg_id: str) -> None:
        clients = self._clients(lambda edge, client: edge.reading and client.state == "waiting")
        if clients:
            edge, conn = clients[pick % len(clients)]
            (answer,) = self.world.receive(edge, self._message(conn, msg_id, "sys_std", True))
            assert isinstance(answer, ev.Reject)

    @rule(pick=PICK, well=st.booleans())
    @precondition(lambda self: self.world.running)
    def a_message_ends(self, pick: int, well: bool) -> None:
        (self.world.end if well else self.world.fail)(self._running(pick))

    @rule(pick=PICK)
    @precondition(lambda self: self.world.running)
    def an_edge_takes_messages_that_its_own_clients_sent(self, pick: int) -> None:
        edge = self._running(pick).session.edge
        if self.world.edge(edge) is not None:
            mine = [a for a in self.world.running if a.session.edge == edge]
            self.world.end(*mine, told=edge)

    @rule(pick=PICK)
    @precondition(lambda self: self.world.running)
    def another_edge_takes_messages(self, pick: int) -> None:
        edge = self._running(pick).session.edge
        theirs = [action for action in self.world.running if action.session.edge != edge]
        self.world.end(*theirs, told=edge)

    @rule(pick=PICK)
    @precondition(lambda self: self.past)
    def something_late_comes_of_a_connection_that_is_gone(self, pick: int) -> None:
        late = self.past[pick % len(self.past)]
        edge = self.world.edge(late.edge)
        if edge is not None and late.conn in edge.closes:
            return  # its first close is still on its way
        assert self.world.step(ev.Closed(late, 1006)) == []
        assert self.world.step(ev.Authenticated(late, "mallory")) == []
        assert self.world.step(ev.Refused(late, Refusal.UNAUTHENTICATED, "")) == []
        message = self._message(late.conn, "m1", "sys_std", True)
        actions = self.world.hub.step(ev.Received(late.edge, [message]), self.world.now)
        assert [type(action) for action in actions] == [ev.Reject]

    @rule(pick=PICK)
    @precondition(lambda self: self.past)
    def an_older_run_of_an_edge_is_lost_once_more(self, pick: int) -> None:
        late = self.past[pick % len(self.past)].edge
        if self.world.edge(late) is None:
            assert self.world.step(ev.EdgeLost(late)) == []
            assert self.world.step(ev.Opened(late, Open(1, "mallory", "qq"))) == []

    @rule(seconds=st.sampled_from([0.5, 20.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @invariant()
    def the_map_holds_exactly_who_is_connected(self) -> None:
        world = self.world
        if world.writes:
            return
        assert {e.address for e in world.map.select()} == set(world.connected)
        for address, session in world.connected.items():
            assert world.edge(address.edge) is not None
            assert session.phase is Phase.OPEN
            assert [e.uuid for e in world.map.select() if e.address == address] == [session.uuid]

    @invariant()
    def a_label_is_held_once(self) -> None:
        held = [(e.user_id, e.platform, e.label) for e in self.world.map.select() if e.label]
        assert len(held) == len(set(held))

    @invariant()
    def nobody_shares_what_is_for_one_alone(self) -> None:
        here = Counter((e.user_id, e.platform) for e in self.world.map.select())
        alone = (SessionMode.REPLACE, SessionMode.REJECT)
        assert [at for at, n in here.items() if n > 1 and self.world.modes[at[1]] in alone] == []

    @invariant()
    def in_a_line_the_one_that_was_named_last_gets_the_messages(self) -> None:
        world = self.world
        line = {(e.user_id, e.platform) for e in world.map.select() if _waits(world, e.platform)}
        for user, platform in line if not world.writes else ():
            (active,) = world.map.find(user, platform)
            assert world.active[user, platform] == active.address
            waiting = [e for e in world.map.select(user_id=user, platform=platform) if e != active]
            assert all(world.map.standby(e) for e in waiting)

    @invariant()
    def who_was_admitted_and_not_sent_away_is_connected(self) -> None:
        if self.world.writes:
            return
        for edge, conn in self._clients(lambda edge, c: edge.attached and c.state == "admitted"):
            address = Address(edge.key, conn)
            assert address in self.world.connected or address in self.world.ordered

    def teardown(self) -> None:
        """Let everything come to its end: then every message has been answered."""
        world = self.world
        while world.asking or world.writes:
            if world.asking:
                world.accept(world.asking[0])
            while world.writes:
                world.write_map()
        while world.running:
            world.end(*world.running)
        for edge in world.edges.values():
            assert not edge.attached or not edge.unsettled
        self.the_map_holds_exactly_who_is_connected()
        self.who_was_admitted_and_not_sent_away_is_connected()

    def _running(self, pick: int) -> ev.Relay | ev.Dispatch:
        return self.world.running[pick % len(self.world.running)]

    def _message(self, conn: int, msg_id: str, type: str, targeted: bool) -> ev.Inbound:
        key = "bob" if targeted or type == "sys_std" else ""
        return ev.Inbound(next(self.world.numbers), conn, msg_id, type, key, "wx", b"{}")


def _waits(world: World, platform: str) -> bool:
    return world.modes[platform] is SessionMode.STANDBY


TestHubModel = HubModel.TestCase
TestHubModel.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
