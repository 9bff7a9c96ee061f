"""Asking about handshakes and writing the map."""

from __future__ import annotations

import asyncio
from typing import Any

from maim_protocol.errors import Refusal
from maim_router import events as ev
from maim_router.auth.authentication import AuthAnswer
from maim_router.auth.denials import Denial
from maim_router.connection_map import Added, Entry, MemoryConnectionMap, Removed
from maim_router.connection_map.session_modes import SHARE_ALL, SessionModes, read_session_modes
from maim_router.delivery.sequence import MessageSequence
from maim_router.events import Address, GaveWay
from maim_router.lifecycle.admission import Admission
from tests.router.builders import EDGE, asked, session


class Auth:
    """Answers with its answer, or raises it."""

    def __init__(self, answer: AuthAnswer | Exception) -> None:
        self.answer = answer
        self.metadata: dict[str, Any] = {}

    async def authenticate(self, metadata: dict[str, Any]) -> AuthAnswer:
        self.metadata = metadata
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def resolve(self, api_key: str, platform: str) -> str:
        return api_key


class SlowMap(MemoryConnectionMap):
    """Writes when the gate is open; `error` breaks it."""

    def __init__(self, modes: SessionModes = SHARE_ALL) -> None:
        super().__init__(modes)
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def add(self, entry: Entry) -> Added:
        await self._ready()
        return await super().add(entry)

    async def remove(self, address: Address, number: int = 0) -> Removed | None:
        await self._ready()
        return await super().remove(address, number)

    async def _ready(self) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error


class Desk:
    """An admission whose reports are kept."""

    def __init__(self, answer: AuthAnswer | Exception | None = None, modes: str = "share") -> None:
        self.reports: asyncio.Queue[ev.Event] = asyncio.Queue()
        self.map = SlowMap(read_session_modes(modes))
        self.auth = Auth(answer or AuthAnswer("alice"))
        self.admission = Admission(self.auth, self.map, self.reports.put_nowait, MessageSequence())

    async def ask(self) -> ev.Event:
        self.admission.authenticate(ev.Authenticate(Address(EDGE, 1), asked(1, "key")))
        async with asyncio.timeout(10):
            return await self.reports.get()


async def test_an_accepted_handshake_is_reported() -> None:
    desk = Desk()
    assert await desk.ask() == ev.Authenticated(Address(EDGE, 1), "alice")
    assert desk.auth.metadata["api_key"] == "key"


async def test_a_refused_handshake_is_reported_with_its_reason() -> None:
    refused = await Desk(AuthAnswer(text="banned")).ask()
    assert refused == ev.Refused(Address(EDGE, 1), Refusal.UNAUTHENTICATED, "banned")


async def test_an_authentication_that_breaks_still_answers() -> None:
    refused = await Desk(OSError("the key file is gone")).ask()
    assert isinstance(refused, ev.Refused)
    assert refused.code is Refusal.ROUTER_UNAVAILABLE
    assert "key file" not in refused.text


async def test_whom_the_operator_denied_stays_out() -> None:
    desk = Desk()
    desk.admission.denials.add(Denial(user_id="alice", platform="qq"))
    refused = await desk.ask()
    assert isinstance(refused, ev.Refused)
    assert refused.code is Refusal.UNAUTHENTICATED


async def test_nobody_comes_in_under_the_name_of_the_routers_own_messages() -> None:
    refused = await Desk(AuthAnswer("server")).ask()
    assert isinstance(refused, ev.Refused)
    assert (refused.code, refused.text) == (
        Refusal.UNAUTHENTICATED,
        "a user cannot be called 'server'",
    )


async def test_the_map_is_written_in_the_order_of_the_actions() -> None:
    desk = Desk()
    desk.map.gate.clear()
    one = session(1)
    desk.admission.write(ev.Register(one))
    desk.admission.write(ev.Unregister(one.address))
    settled = asyncio.ensure_future(desk.admission.settled(EDGE))
    await asyncio.sleep(0)
    assert not settled.done()
    desk.map.gate.set()
    async with asyncio.timeout(10):
        await settled
    assert len(desk.map) == 0
    assert desk.reports.get_nowait() == ev.Registered(one)


async def test_what_is_written_later_is_not_waited_for() -> None:
    desk = Desk()
    settled = asyncio.ensure_future(desk.admission.settled(EDGE))
    await asyncio.sleep(0)
    desk.map.gate.clear()
    desk.admission.write(ev.Register(session(1)))
    async with asyncio.timeout(10):
        await settled
    await desk.admission.stop()


async def test_a_map_that_cannot_be_written_is_reported_and_tried_again_later() -> None:
    desk = Desk()
    one = session(1)
    desk.map.error = ConnectionError("the map is away")
    desk.admission.write(ev.Register(one))
    desk.admission.write(ev.Unregister(one.address))
    await desk.admission.settled(EDGE)
    assert desk.reports.get_nowait() == ev.NotRegistered(one)
    desk.map.error = None
    desk.admission.write(ev.Register(one))
    await desk.admission.settled(EDGE)
    assert desk.reports.get_nowait() == ev.Registered(one)


async def test_an_entry_shares_its_handshake_with_its_session() -> None:
    desk = Desk()
    one = session(1)
    desk.admission.write(ev.Register(one))
    await desk.admission.settled(EDGE)
    (entry,) = desk.map.select()
    assert (entry.uuid, entry.user_id, entry.platform) == ("uuid-1", "alice", "qq")
    assert entry.open is one.open
    assert entry.restored is False


async def test_stopping_ends_everything() -> None:
    desk = Desk()
    desk.map.gate.clear()
    desk.admission.write(ev.Register(session(1)))
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await desk.admission.stop()
    assert desk.reports.empty()


async def test_who_takes_over_is_reported_right_after_the_removal() -> None:
    desk = Desk(modes="standby")
    first, second = session(1), session(2)
    for action in (ev.Register(first), ev.Register(second), ev.Unregister(first.address)):
        desk.admission.write(action)
    await desk.admission.settled(EDGE)
    reports = [desk.reports.get_nowait() for _ in range(3)]
    assert reports == [
        ev.Registered(first),
        ev.Registered(second, standby=True),
        ev.Activated(second.address),
    ]
    (active,) = desk.map.find("alice", "qq")
    assert active.since > 0


async def test_of_two_that_come_together_one_is_let_in_where_others_are_kept_out() -> None:
    desk = Desk(modes="reject")
    desk.map.gate.clear()
    for conn in (1, 2):
        desk.admission.write(ev.Register(session(conn)))
    desk.map.gate.set()
    await desk.admission.settled(EDGE)
    reports = [desk.reports.get_nowait() for _ in range(2)]
    assert reports == [ev.Registered(session(1)), ev.Registered(session(2), GaveWay.OLDER)]


async def test_what_comes_afterwards_waits_for_the_map() -> None:
    desk = Desk()
    desk.map.gate.clear()
    desk.admission.write(ev.Register(session(1)))
    seen: list[int] = []
    desk.admission.after_writes(lambda: seen.append(len(desk.map)))
    await asyncio.sleep(0)
    assert seen == []
    desk.map.gate.set()
    await desk.admission.settled(EDGE)
    assert seen == [1]


async def test_what_comes_after_a_removal_comes_before_the_takeover() -> None:
    desk = Desk(modes="standby")
    for conn in (1, 2):
        desk.admission.write(ev.Register(session(conn)))
    await desk.admission.settled(EDGE)
    desk.admission.write(ev.Unregister(session(1).address))
    reported: list[int] = []
    desk.admission.after_writes(lambda: reported.append(desk.reports.qsize()))
    desk.admission.write(ev.Register(session(3)))
    await desk.admission.settled(EDGE)
    assert reported == [2]
    assert [desk.reports.get_nowait() for _ in range(3)][2] == ev.Activated(session(2).address)


async def test_what_nothing_is_in_front_of_comes_at_once() -> None:
    desk = Desk()
    seen: list[str] = []
    desk.admission.after_writes(lambda: seen.append("at once"))
    assert seen == ["at once"]
