"""What every `ConnectionMap` makes of session modes; a test class inherits it and gives `make`."""

from __future__ import annotations

import msgspec

from maim_router.connection_map import Added, ConnectionMap, Entry
from maim_router.connection_map.session_modes import SessionMode, SessionModes
from maim_router.events import Address, GaveWay
from tests.router.connection_map.contract import EDGE, OTHER, entry, uuids


def restored(conn: int, connected_at: float, label: str = "") -> Entry:
    """An entry that its edge announced again."""
    one = entry(conn, label=label, connected_at=connected_at)
    return msgspec.structs.replace(one, restored=True)


class SessionModeContract:
    """The sentences of the contract."""

    def make(self, modes: SessionModes) -> ConnectionMap:
        raise NotImplementedError

    def mode(self, mode: SessionMode) -> ConnectionMap:
        return self.make(SessionModes(mode))

    async def test_a_mode_is_of_its_platform_and_user_alone(self) -> None:
        connections = self.make(SessionModes(by_platform={"qq": SessionMode.REJECT}))
        for one in (entry(1), entry(2, platform="wx"), entry(3, platform="wx"), entry(4, "v")):
            assert (await connections.add(one)).refused is None
        assert (await connections.add(entry(5))).refused is GaveWay.OLDER
        assert len(connections) == 4

    async def test_where_the_newest_replaces_it_ends_every_other(self) -> None:
        connections = self.mode(SessionMode.REPLACE)
        old, new = entry(1, label="L", connected_at=9.0), entry(2, label="M", edge=OTHER)
        await connections.add(old)
        assert await connections.add(new) == Added(None, ((old, GaveWay.NEWER),))
        assert list(connections.select()) == [new]

    async def test_a_restored_one_gives_way_to_a_newer_where_the_newest_replaces(self) -> None:
        connections = self.mode(SessionMode.REPLACE)
        new = restored(1, 20.0)
        await connections.add(new)
        assert await connections.add(restored(2, 10.0)) == Added(GaveWay.NEWER)
        newest = restored(3, 30.0)
        assert await connections.add(newest) == Added(None, ((new, GaveWay.NEWER),))

    async def test_where_the_oldest_stays_a_second_one_is_refused_until_it_leaves(self) -> None:
        connections = self.mode(SessionMode.REJECT)
        await connections.add(entry(1, connected_at=20.0))
        assert await connections.add(entry(2, connected_at=10.0)) == Added(GaveWay.OLDER)
        await connections.remove(Address(EDGE, 1))
        assert await connections.add(entry(2)) == Added()

    async def test_a_restored_one_ends_a_newer_where_the_oldest_stays(self) -> None:
        connections = self.mode(SessionMode.REJECT)
        new, old = entry(1, connected_at=20.0), restored(2, 10.0)
        await connections.add(new)
        assert await connections.add(old) == Added(None, ((new, GaveWay.OLDER),))
        assert await connections.add(restored(3, 30.0)) == Added(GaveWay.OLDER)

    async def test_the_same_label_replaces_in_every_mode(self) -> None:
        for mode in SessionMode:
            connections = self.mode(mode)
            old, new = entry(1, label="L"), entry(2, label="L")
            await connections.add(old)
            assert await connections.add(new) == Added(None, ((old, GaveWay.LABEL),))
            assert list(connections.find("u", "qq")) == [new]

    async def test_in_a_line_only_the_oldest_gets_messages(self) -> None:
        connections = self.mode(SessionMode.STANDBY)
        one, two, other = entry(1), entry(2), entry(3, platform="wx")
        for each in (one, two, other):
            added = await connections.add(each)
            assert added == Added(standby=each is two)
        assert list(connections.find("u", "qq")) == [one]
        assert uuids(connections.select(user_id="u", platform="qq")) == [one.uuid, two.uuid]
        assert list(connections.audience().uuids) == [one.uuid, other.uuid]
        assert [connections.standby(each) for each in (one, two, other)] == [False, True, False]

    async def test_the_next_in_line_takes_over_with_the_removal(self) -> None:
        connections = self.mode(SessionMode.STANDBY)
        for conn in (1, 2, 3):
            await connections.add(entry(conn, label=f"L{conn}"))
        removed = await connections.remove(Address(EDGE, 1), 77)
        assert removed is not None
        (active,) = removed.activated
        assert (active.uuid, active.since) == (entry(2).uuid, 77)
        assert list(connections.find("u", "qq")) == [active] == [connections.get(active.uuid)]
        removed = await connections.remove(Address(EDGE, 2), 78)
        assert removed is not None
        assert uuids(removed.activated) == [entry(3).uuid]
        removed = await connections.remove(Address(EDGE, 3))
        assert removed is not None
        assert (removed.activated, len(connections)) == ((), 0)

    async def test_nobody_takes_over_from_one_that_waited(self) -> None:
        connections = self.mode(SessionMode.STANDBY)
        for conn in (1, 2, 3):
            await connections.add(entry(conn))
        removed = await connections.remove(Address(EDGE, 2))
        assert removed is not None
        assert removed.activated == ()
        assert list(connections.find("u", "qq")) == [entry(1)]

    async def test_a_label_keeps_its_place_in_the_line(self) -> None:
        connections = self.mode(SessionMode.STANDBY)
        for conn in (1, 2):
            await connections.add(entry(conn, label=f"L{conn}"))
        again = entry(3, label="L1")
        added = await connections.add(again)
        assert (added.standby, added.passed, added.activated) == (False, None, ())
        assert list(connections.find("u", "qq")) == [again]
        waits = entry(4, label="L2")
        assert (await connections.add(waits)).standby
        assert list(connections.select(user_id="u", platform="qq")) == [again, waits]

    async def test_restored_ones_stand_in_line_as_they_connected(self) -> None:
        connections = self.mode(SessionMode.STANDBY)
        second, first, third = restored(1, 20.0), restored(2, 10.0), restored(3, 30.0)
        assert await connections.add(second) == Added()
        assert await connections.add(first) == Added(passed=second)
        assert await connections.add(third) == Added(standby=True)
        line = connections.select(user_id="u", platform="qq")
        assert list(line) == [first, second, third]
