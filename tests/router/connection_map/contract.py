"""What every `ConnectionMap` has to keep; a test class inherits it and gives `connections`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from maim_protocol.bridge.frames import Open
from maim_router.connection_map import Added, ConnectionMap, Entry, Removed
from maim_router.events import Address, EdgeKey, GaveWay

EDGE = EdgeKey("edge-1", 1)
OTHER = EdgeKey("edge-2", 1)


def entry(
    conn: int,
    user_id: str = "u",
    platform: str = "qq",
    label: str = "",
    edge: EdgeKey = EDGE,
    connected_at: float = 0.0,
) -> Entry:
    """An entry whose id tells where it is."""
    uuid = f"{edge.edge_id}/{edge.epoch}/{conn}"
    asked = Open(conn, "key", platform, label, connected_at=connected_at)
    return Entry(uuid, user_id, edge, asked)


def uuids(entries: Sequence[Entry]) -> list[str]:
    """The ids of entries, in their order."""
    return [entry.uuid for entry in entries]


TAKEN = Added()


def replaced(one: Entry) -> Added:
    """What the map says when a connection took over the label of another."""
    return Added(None, ((one, GaveWay.LABEL),))


class ConnectionMapContract:
    """The sentences of the contract."""

    async def test_what_was_added_is_found_in_every_way(self, connections: ConnectionMap) -> None:
        one = entry(1)
        assert await connections.add(one) == TAKEN
        assert connections.get(one.uuid) == one
        assert list(connections.find("u", "qq")) == [one]
        assert list(connections.select(edge=EDGE)) == [one]
        assert connections.users() == {"u": {"qq": [one.uuid]}}
        assert (len(connections), connections.user_count()) == (1, 1)

    async def test_what_was_removed_is_found_in_no_way(self, connections: ConnectionMap) -> None:
        one = entry(1, label="L")
        await connections.add(one)
        assert await connections.remove(one.address) == Removed(one)
        assert connections.get(one.uuid) is None
        assert list(connections.find("u", "qq")) == []
        assert list(connections.select()) == []
        assert connections.users() == {}
        assert (len(connections), connections.user_count()) == (0, 0)

    async def test_a_removed_label_is_free_again(self, connections: ConnectionMap) -> None:
        await connections.add(entry(1, label="L"))
        await connections.remove(Address(EDGE, 1))
        assert await connections.add(entry(2, label="L")) == TAKEN

    async def test_removing_twice_does_nothing(self, connections: ConnectionMap) -> None:
        await connections.add(entry(1))
        await connections.remove(Address(EDGE, 1))
        assert await connections.remove(Address(EDGE, 1)) is None

    async def test_a_removal_hits_only_its_own_edge_and_epoch(
        self, connections: ConnectionMap
    ) -> None:
        later = EdgeKey(EDGE.edge_id, EDGE.epoch + 1)
        one = entry(1, edge=later)
        await connections.add(one)
        for stale in (Address(EDGE, 1), Address(OTHER, 1), Address(later, 2)):
            assert await connections.remove(stale) is None
        assert connections.get(one.uuid) == one

    async def test_the_same_label_replaces_within_user_and_platform(
        self, connections: ConnectionMap
    ) -> None:
        old, new = entry(1, label="L"), entry(1, label="L", edge=OTHER)
        await connections.add(old)
        assert await connections.add(new) == replaced(old)
        assert list(connections.find("u", "qq")) == [new]
        assert connections.get(old.uuid) is None

    async def test_a_foreign_label_replaces_nothing(self, connections: ConnectionMap) -> None:
        await connections.add(entry(1, label="L"))
        assert await connections.add(entry(2, user_id="v", label="L")) == TAKEN
        assert await connections.add(entry(3, platform="wx", label="L")) == TAKEN
        assert await connections.add(entry(4)) == TAKEN
        assert await connections.add(entry(5)) == TAKEN
        assert len(connections) == 5

    async def test_a_late_removal_of_the_replaced_leaves_the_new_one(
        self, connections: ConnectionMap
    ) -> None:
        old, new = entry(1, label="L"), entry(2, label="L")
        await connections.add(old)
        await connections.add(new)
        assert await connections.remove(old.address) is None
        assert list(connections.find("u", "qq")) == [new]
        assert await connections.add(entry(3, label="L")) == replaced(new)

    async def test_a_restored_connection_gives_way_to_a_later_one(
        self, connections: ConnectionMap
    ) -> None:
        later = entry(1, label="L", connected_at=20.0)
        await connections.add(later)
        early = msgspec.structs.replace(entry(2, label="L", connected_at=10.0), restored=True)
        assert await connections.add(early) == Added(GaveWay.LABEL)
        assert connections.get(early.uuid) is None
        assert list(connections.find("u", "qq")) == [later]

    async def test_a_restored_connection_replaces_an_earlier_one(
        self, connections: ConnectionMap
    ) -> None:
        early = entry(1, label="L", connected_at=10.0)
        await connections.add(early)
        later = msgspec.structs.replace(entry(2, label="L", connected_at=20.0), restored=True)
        assert await connections.add(later) == replaced(early)

    async def test_a_new_connection_replaces_whatever_an_edge_clock_says(
        self, connections: ConnectionMap
    ) -> None:
        old = entry(1, label="L", connected_at=20.0)
        await connections.add(old)
        assert await connections.add(entry(2, label="L", connected_at=10.0)) == replaced(old)

    async def test_the_same_address_again_takes_its_own_place(
        self, connections: ConnectionMap
    ) -> None:
        await connections.add(entry(1, label="L"))
        assert await connections.add(entry(1, label="L")) == TAKEN
        assert len(connections) == 1

    async def test_lists_are_oldest_first(self, connections: ConnectionMap) -> None:
        for conn in (3, 1, 2):
            await connections.add(entry(conn))
        expected = [entry(conn).uuid for conn in (3, 1, 2)]
        assert uuids(connections.find("u", "qq")) == expected
        assert uuids(connections.select()) == expected
        assert list(connections.users()["u"]["qq"]) == expected

    async def test_filters_narrow_the_selection(self, connections: ConnectionMap) -> None:
        everyone = [
            entry(1),
            entry(2, platform="wx"),
            entry(3, user_id="v"),
            entry(4, edge=OTHER),
        ]
        for one in everyone:
            await connections.add(one)
        ids = uuids(everyone)
        assert uuids(connections.select()) == ids
        assert uuids(connections.select(user_id="u")) == [ids[0], ids[1], ids[3]]
        assert uuids(connections.select(platform="qq")) == [ids[0], ids[2], ids[3]]
        assert uuids(connections.select(user_id="u", platform="qq", edge=OTHER)) == [ids[3]]
        assert uuids(connections.select(user_id="nobody")) == []

    async def test_an_audience_is_everybody_sorted_by_edge(
        self, connections: ConnectionMap
    ) -> None:
        for one in (entry(3), entry(1, edge=OTHER), entry(2, platform="wx")):
            await connections.add(one)
        everybody = connections.audience()
        assert list(everybody.uuids) == ["edge-1/1/3", "edge-2/1/1", "edge-1/1/2"]
        assert {part.edge: dict(part.uuids) for part in everybody.parts} == {
            EDGE: {3: "edge-1/1/3", 2: "edge-1/1/2"},
            OTHER: {1: "edge-2/1/1"},
        }
        assert list(connections.audience("wx").uuids) == ["edge-1/1/2"]
        assert connections.audience("nowhere").parts == []

    async def test_a_user_may_have_many_connections_and_lose_them_in_any_order(
        self, connections: ConnectionMap
    ) -> None:
        many = [entry(conn) for conn in range(1, 6)]
        for one in many:
            await connections.add(one)
        for gone in (2, 0, 4, 1, 3):
            left = [one for one in connections.find("u", "qq") if one is not many[gone]]
            await connections.remove(many[gone].address)
            assert list(connections.find("u", "qq")) == left

    async def test_users_are_counted_once(self, connections: ConnectionMap) -> None:
        for one in (entry(1), entry(2, platform="wx"), entry(3, user_id="v")):
            await connections.add(one)
        assert connections.user_count() == 2
        await connections.remove(Address(EDGE, 1))
        assert connections.user_count() == 2
        await connections.remove(Address(EDGE, 2))
        assert connections.user_count() == 1

    async def test_a_list_that_was_given_out_does_not_change(
        self, connections: ConnectionMap
    ) -> None:
        await connections.add(entry(1))
        before = connections.find("u", "qq")
        await connections.remove(Address(EDGE, 1))
        assert len(before) == 1
