"""The connection map of one process keeps the contract."""

from __future__ import annotations

import pytest

from maim_protocol.bridge.frames import Open
from maim_router.connection_map import ConnectionMap, Entry, MemoryConnectionMap, memory
from maim_router.connection_map.session_modes import SessionMode, SessionModes
from maim_router.events import Address
from tests.router.connection_map.contract import EDGE, OTHER, ConnectionMapContract, entry
from tests.router.connection_map.session_mode_contract import SessionModeContract


class TestMemoryConnectionMap(ConnectionMapContract):
    """In dictionaries."""

    @pytest.fixture
    def connections(self) -> ConnectionMap:
        return MemoryConnectionMap()


def test_no_credential_shows_in_the_repr_of_an_entry() -> None:
    one = Entry("uuid-1", "alice", EDGE, Open(1, "s3cret", "qq"))
    assert "s3cret" not in repr(one)


async def test_a_connection_id_names_one_connection() -> None:
    connections = MemoryConnectionMap()
    old, new = entry(1), Entry("edge-1/1/1", "v", OTHER, Open(7, "key", "wx"))
    await connections.add(old)
    await connections.add(new)
    assert list(connections.select()) == [new]
    assert list(connections.find("u", "qq")) == []


async def test_an_audience_is_kept_until_somebody_comes_or_goes() -> None:
    connections = MemoryConnectionMap()
    await connections.add(entry(1))
    audience = connections.audience()
    assert connections.audience() is audience
    await connections.add(entry(2))
    later = connections.audience()
    assert list(later.uuids) == ["edge-1/1/1", "edge-1/1/2"]
    await connections.remove(Address(EDGE, 1))
    assert list(connections.audience().uuids) == ["edge-1/1/2"]
    assert list(audience.uuids) == ["edge-1/1/1"]


async def test_no_more_than_so_many_audiences_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "AUDIENCES", 1)
    connections = MemoryConnectionMap()
    await connections.add(entry(1))
    assert connections.audience("qq") is connections.audience("qq")
    assert connections.audience("wx") is not connections.audience("wx")


class TestMemorySessionModes(SessionModeContract):
    """In dictionaries."""

    def make(self, modes: SessionModes) -> ConnectionMap:
        return MemoryConnectionMap(modes)


async def test_what_takes_the_id_of_an_active_one_lets_the_next_take_over() -> None:
    connections = MemoryConnectionMap(SessionModes(SessionMode.STANDBY))
    for conn in (1, 2):
        await connections.add(entry(conn))
    thief = Entry("edge-1/1/1", "v", OTHER, Open(7, "key", "wx"), since=5)
    added = await connections.add(thief)
    assert [(one.uuid, one.since) for one in added.activated] == [("edge-1/1/2", 5)]
