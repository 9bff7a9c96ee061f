"""Who lets go when connections hold too much."""

from __future__ import annotations

import asyncio

from maim_edge.websocket.memory_budget import MemoryBudget


class Client:
    """Holds bytes of a budget until it gives up."""

    def __init__(self, budget: MemoryBudget) -> None:
        self.budget = budget
        self.gone = False

    def give_up(self) -> None:
        self.gone = True
        self.budget.hold(self, 0)


async def test_the_largest_let_go_until_the_rest_fits() -> None:
    budget = MemoryBudget(100)
    clients = [Client(budget) for _ in range(4)]
    for client, size in zip(clients, (20, 60, 50, 10), strict=True):
        budget.hold(client, size)
    await asyncio.sleep(0)
    assert [client.gone for client in clients] == [False, True, False, False]
    assert budget.used == 80


async def test_nobody_lets_go_within_the_turn_in_which_it_became_too_much() -> None:
    budget = MemoryBudget(100)
    client = Client(budget)
    budget.hold(client, 101)
    assert not client.gone
    budget.hold(client, 99)
    await asyncio.sleep(0)
    assert not client.gone


async def test_what_many_wait_for_is_counted_once_and_weighs_on_each() -> None:
    budget = MemoryBudget(100)
    clients = [Client(budget) for _ in range(3)]
    pieces = (b"x" * 60,)
    for client in clients:
        budget.keep(pieces)
        budget.hold(client, 0, shared=60)
    await asyncio.sleep(0)
    assert budget.used == 60
    assert not any(client.gone for client in clients)
    for _ in clients:
        budget.drop(pieces)
    assert budget.used == 0


async def test_what_is_held_elsewhere_counts_too() -> None:
    budget = MemoryBudget(100, lambda: 90)
    client = Client(budget)
    budget.hold(client, 20)
    await asyncio.sleep(0)
    assert client.gone
