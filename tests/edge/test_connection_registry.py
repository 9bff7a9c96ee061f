"""Places for connections: bounded in all and for each address."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maim_edge.connection_registry import ConnectionRegistry
from maim_edge.handshake import HandshakeRefused
from maim_protocol.errors import Refusal


@dataclass
class Conn:
    handle: int


def test_handles_are_never_used_twice() -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(1, 0)
    seen = set()
    for _ in range(100):
        handle = registry.enter("a")
        registry.leave(handle)
        seen.add(handle)
    assert len(seen) == 100
    assert min(seen) == 1


def test_a_full_server_refuses_and_takes_again_when_somebody_left() -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(2, 0)
    first = registry.enter("a")
    registry.enter("b")
    with pytest.raises(HandshakeRefused, match="holds its 2 connections") as caught:
        registry.enter("c")
    assert caught.value.code is Refusal.TOO_MANY_CONNECTIONS
    assert caught.value.headers["Retry-After"].isdigit()
    registry.leave(first)
    registry.enter("c")


def test_an_address_has_its_own_bound() -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(10, 1)
    handle = registry.enter("a")
    registry.enter("b")
    with pytest.raises(HandshakeRefused, match="this address holds its 1"):
        registry.enter("a")
    registry.leave(handle)
    registry.enter("a")


def test_a_connection_is_found_while_it_has_its_place() -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(10, 0)
    handle = registry.enter("a")
    assert registry.get(handle) is None
    connection = Conn(handle)
    registry.add(connection)
    assert registry.get(handle) is connection
    assert list(registry) == [connection]
    registry.leave(handle)
    assert registry.get(handle) is None
    assert len(registry) == 0


def test_connections_may_leave_while_all_are_visited() -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(10, 0)
    for _ in range(3):
        registry.add(Conn(registry.enter("a")))
    for connection in registry:
        registry.leave(connection.handle)
    assert len(registry) == 0


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=100))
def test_the_bounds_hold_over_any_coming_and_going(moves: list[tuple[bool, str]]) -> None:
    registry: ConnectionRegistry[Conn] = ConnectionRegistry(5, 2)
    inside: list[tuple[int, str]] = []
    for enters, address in moves:
        if not enters:
            if inside:
                registry.leave(inside.pop(0)[0])
            continue
        room = len(inside) < 5 and sum(a == address for _, a in inside) < 2
        try:
            inside.append((registry.enter(address), address))
        except HandshakeRefused:
            assert not room
        else:
            assert room
        assert len(registry) == len(inside)
