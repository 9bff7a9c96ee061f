"""Session modes under every order of comings and goings, against what each mode promises."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from maim_protocol.bridge.frames import Open
from maim_router.connection_map import Entry
from maim_router.connection_map.session_modes import SessionMode
from maim_router.events import Address, EdgeKey
from tests.router.hub.world import Edge, World

LABELS = st.sampled_from(["", "", "L"])
PICK = st.integers(0, 9)
# How much of what is to be written follows at once.
WRITES = st.sampled_from([0, 1, 9])
WHERE = st.sampled_from(["e1", "e2"])


class SessionModel(RuleBasedStateMachine):
    """One user on one platform, on two edges; the map is written when it pleases."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.mode = SessionMode.SHARE

    @initialize(mode=st.sampled_from(SessionMode))
    def the_router_starts(self, mode: SessionMode) -> None:
        self.mode = self.world.modes["qq"] = mode
        for edge_id in ("e1", "e2"):
            edge = self.world.edges[edge_id] = Edge(EdgeKey(edge_id, 1))
            self.world.attach(edge)
        self._go_on(9)

    @rule(where=WHERE, label=LABELS, skew=st.integers(-2, 2), writes=WRITES)
    def a_client_comes(self, where: str, label: str, skew: int, writes: int) -> None:
        self.world.now += 1
        conn, at = next(self.world.numbers), self.world.now + skew
        self.world.come(self.world.edges[where], Open(conn, "u", "qq", label, connected_at=at))
        self._go_on(writes)

    @rule(pick=PICK, writes=WRITES)
    def a_client_leaves(self, pick: int, writes: int) -> None:
        clients = [(e, conn) for e in self.world.edges.values() for conn in e.clients]
        if clients:
            self.world.leave(*clients[pick % len(clients)])
        self._go_on(writes)

    @rule(where=WHERE, writes=WRITES)
    def an_edge_is_lost_and_comes_back(self, where: str, writes: int) -> None:
        edge = self.world.edges[where]
        self.world.lose(edge)
        self.world.attach(edge)
        self._go_on(writes)

    @rule(writes=WRITES)
    def edges_carry_out_every_disconnect(self, writes: int) -> None:
        ordered, self.world.ordered = self.world.ordered, []
        for address in ordered:
            edge = self.world.edges[address.edge.edge_id]
            if address.conn in edge.clients:
                self.world.leave(edge, address.conn)
        self._go_on(writes)

    @invariant()
    def the_map_keeps_the_promise_of_the_mode(self) -> None:
        here, reached = self._here(), self.world.map.find("u", "qq")
        match self.mode:
            case SessionMode.SHARE:
                assert list(reached) == here
            case SessionMode.REPLACE | SessionMode.REJECT:
                assert list(reached) == here
                assert len(here) <= 1
            case SessionMode.STANDBY:
                assert len(reached) == min(1, len(here))
                assert [e for e in here if not self.world.map.standby(e)] == list(reached)

    @invariant()
    def the_application_knows_who_gets_the_messages(self) -> None:
        if self.world.writes:
            return
        reached = [entry.address for entry in self.world.map.find("u", "qq")]
        if self.mode is not SessionMode.SHARE:
            assert reached == list(self.world.active.values())

    @invariant()
    def somebody_stays_when_somebody_was_let_in(self) -> None:
        world = self.world
        admitted = {
            Address(edge.key, conn)
            for edge in world.edges.values()
            for conn, client in edge.clients.items()
            if client.state == "admitted"
        }
        if not world.writes and admitted - set(world.ordered):
            assert world.map.find("u", "qq")

    def _go_on(self, writes: int) -> None:
        """Let everybody in who asks, and the map follow."""
        for _ in range(writes + 1):
            while self.world.asking:
                self.world.accept(self.world.asking[0])
            if writes and self.world.writes:
                self.world.write_map()

    def _here(self) -> list[Entry]:
        return list(self.world.map.select(user_id="u", platform="qq"))


TestSessionModel = SessionModel.TestCase
TestSessionModel.settings = settings(max_examples=300, stateful_step_count=30, deadline=None)
