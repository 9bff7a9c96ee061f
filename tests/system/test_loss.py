"""The router goes away and comes back: clients notice nothing."""

from __future__ import annotations

import asyncio
import json
import signal

from tests.system.pair import Pair, message, receive, running_pair


async def lose_and_restore(pair: Pair) -> None:
    attached = len(pair.edge.lines)
    await pair.router.kill()
    await pair.edge.logged("no router attached")
    await pair.start_router()
    await pair.edge.logged("attached to", since=attached)


async def test_a_killed_router_leaves_sockets_open_and_traffic_resumes(
    bridge: dict[str, str],
) -> None:
    async with (
        running_pair(bridge, bridge) as pair,
        pair.client("alice") as alice,
        pair.client("bob") as bob,
    ):
        for round_ in range(2):
            await alice.send(message(f"before{round_}", "bob"))
            assert (await receive(bob))["msg_id"] == f"before{round_}"
            assert (await receive(alice))["type"] == "sys_ack"
            await lose_and_restore(pair)
            await alice.send(message(f"after{round_}", "bob"))
            assert (await receive(bob))["msg_id"] == f"after{round_}"
            assert (await receive(alice))["meta"]["acked_msg_id"] == f"after{round_}"
        async with pair.client("carol") as carol:
            await carol.send(message("new", "alice"))
            assert (await receive(alice))["meta"]["sender_user"] == "carol"


async def test_messages_that_are_sent_while_there_is_no_router_arrive_in_order(
    bridge: dict[str, str],
) -> None:
    async with (
        running_pair(bridge, bridge) as pair,
        pair.client("alice") as alice,
        pair.client("bob") as bob,
    ):
        attached = len(pair.edge.lines)
        await pair.router.kill()
        await pair.edge.logged("no router attached")
        for index in range(200):
            await alice.send(message(f"m{index}", "bob"))
        await pair.start_router()
        await pair.edge.logged("attached to", since=attached)
        got = [(await receive(bob))["msg_id"] for _ in range(200)]
        acked = [(await receive(alice))["meta"]["acked_msg_id"] for _ in range(200)]
    assert got == [f"m{index}" for index in range(200)]
    assert sorted(acked) == sorted(got)


async def test_a_router_killed_in_the_midst_of_traffic_loses_nothing(
    bridge: dict[str, str],
) -> None:
    count = 3000
    async with (
        running_pair(bridge, bridge) as pair,
        pair.client("alice") as alice,
        pair.client("bob") as bob,
    ):

        async def send() -> None:
            for index in range(count):
                await alice.send(message(f"m{index}", "bob"))

        async def acks() -> set[str]:
            return {(await receive(alice, "sys_ack"))["meta"]["acked_msg_id"] for _ in range(count)}

        async def arrivals() -> list[str]:
            seen: dict[str, None] = {}
            while len(seen) < count:
                seen[(await receive(bob))["msg_id"]] = None
            return list(seen)

        sending, acking = asyncio.create_task(send()), asyncio.create_task(acks())
        arriving = asyncio.create_task(arrivals())
        await receive_some(pair)
        await lose_and_restore(pair)
        assert await arriving == [f"m{index}" for index in range(count)]
        assert len(await acking) == count
        await sending


async def receive_some(pair: Pair) -> None:
    """Let the traffic begin: another client's message has gone through."""
    async with pair.client("carol") as carol:
        await carol.send(message("probe", "carol"))
        await receive(carol, "sys_std")


async def test_what_is_for_clients_of_a_killed_edge_waits_for_them(bridge: dict[str, str]) -> None:
    async with running_pair(bridge, bridge) as pair:
        async with pair.client("alice") as alice, pair.client("bob"):
            await pair.edge.kill()
            await alice.wait_closed()
        await pair.router.logged("detached")
        await pair.start_edge()
        async with pair.client("alice") as alice:
            await alice.send(message("m1", "bob"))
            assert (await receive(alice))["meta"]["acked_msg_id"] == "m1"
            async with pair.client("bob") as bob:
                assert (await receive(bob))["msg_id"] == "m1"


async def test_sigint_ends_like_sigterm() -> None:
    async with running_pair() as pair, pair.client("alice") as alice:
        code, took = await pair.edge.end(signal.SIGINT)
        assert code == 0
        assert took < 5
        notice = json.loads(await alice.recv())
        assert notice["payload"]["event"] == "drain"
        await alice.wait_closed()
        assert alice.close_code == 1001
