"""Messages through router and edge as two processes: order, bytes, identity."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.system.pair import Pair, message, receive, running_pair


async def test_a_thousand_messages_of_one_sender_arrive_in_order() -> None:
    async with running_pair() as pair, pair.client("alice") as alice, pair.client("bob") as bob:
        for index in range(1000):
            await alice.send(message(f"m{index}", "bob"))
        got = [(await receive(bob))["msg_id"] for _ in range(1000)]
        acked = {(await receive(alice))["meta"]["acked_msg_id"] for _ in range(1000)}
    assert got == [f"m{index}" for index in range(1000)]
    assert acked == set(got)


async def test_small_and_large_messages_of_one_sender_arrive_in_order() -> None:
    async with running_pair() as pair, pair.client("alice") as alice, pair.client("bob") as bob:
        large = '"' + "x" * 600_000 + '"'
        for index in range(60):
            await alice.send(message(f"m{index}", "bob", large if index % 7 == 3 else '"s"'))
        got = [(await receive(bob))["msg_id"] for _ in range(60)]
        for _ in range(60):
            await receive(alice)
    assert got == [f"m{index}" for index in range(60)]


async def test_a_burst_of_twenty_thousand_closes_nobody() -> None:
    async with running_pair() as pair, pair.client("alice") as alice, pair.client("bob") as bob:

        async def send() -> None:
            for index in range(20_000):
                await alice.send(message(f"m{index}", "bob"))

        async def acks() -> int:
            return sum([(await receive(alice))["type"] == "sys_ack" for _ in range(20_000)])

        sending, acking = asyncio.create_task(send()), asyncio.create_task(acks())
        got = [(await receive(bob))["msg_id"] for _ in range(20_000)]
        await sending
        assert await acking == 20_000
    assert got == [f"m{index}" for index in range(20_000)]


@pytest.mark.parametrize(
    "data",
    [
        '"你好 \\u4f60 \\ud83d\\ude00 😀 \\/ \\n \\u0000"',
        str(2**70),
        "1e400",
        "-0.0",
        "1.10000000000000000000000000000000000001",
        '{"b":1,"a":2,"b":3}',
        '[ {"type" :"text",\t"data": "x"} , null,true ]\r\n',
        '"' + "你" * 200_000 + '"',
    ],
    ids=["unicode", "integer", "float", "zero", "digits", "keys", "space", "large"],
)
async def test_payload_bytes_are_untouched(shared_pair: Pair, data: str) -> None:
    async with shared_pair.client("alice") as alice, shared_pair.client("bob") as bob:
        sent = message("m1", "bob", data).replace(
            '"message_dim"', '"unknown": [1 ,2],"message_dim"'
        )
        await alice.send(sent)
        async with asyncio.timeout(10):
            got = await bob.recv()
    assert isinstance(got, str)
    assert got[got.index('"payload":') :] == sent[sent.index('"payload":') :]


async def test_the_meta_that_arrives_is_verified_and_not_the_senders(shared_pair: Pair) -> None:
    async with (
        shared_pair.client("alice", "wx") as alice,
        shared_pair.client("bob") as bob,
    ):
        await alice.send(message("m1", "bob"))
        meta = (await receive(bob))["meta"]
    assert meta.pop("timestamp") > 1_000_000
    assert meta == {
        "sender_user": "alice",
        "sender_platform": "wx",
        "target_user": "bob",
        "platform": "qq",
    }


async def test_a_message_reaches_every_connection_of_the_receiver_and_nobody_else(
    shared_pair: Pair,
) -> None:
    async with (
        shared_pair.client("alice") as alice,
        shared_pair.client("bob") as first,
        shared_pair.client("bob") as second,
        shared_pair.client("bob", "wx") as elsewhere,
        shared_pair.client("carol") as carol,
    ):
        await alice.send(message("m1", "bob"))
        assert (await receive(first))["msg_id"] == (await receive(second))["msg_id"] == "m1"
        for other in (elsewhere, carol):
            await other.send(message("probe", "nobody"))
            assert (await receive(other))["payload"]["code"] == "no_route"


async def test_the_same_msg_id_is_delivered_once_and_acknowledged_twice(shared_pair: Pair) -> None:
    async with shared_pair.client("alice") as alice, shared_pair.client("bob") as bob:
        for msg_id in ("same", "same", "other"):
            await alice.send(message(msg_id, "bob"))
        assert [(await receive(bob))["msg_id"] for _ in range(2)] == ["same", "other"]
        acked = [(await receive(alice))["meta"]["acked_msg_id"] for _ in range(3)]
    assert sorted(acked) == ["other", "same", "same"]


async def test_a_foreign_label_takes_nothing_over(shared_pair: Pair) -> None:
    label = {"x-uuid": "same-label"}
    async with (
        shared_pair.client("alice") as alice,
        shared_pair.client("bob", additional_headers=label) as bob,
        shared_pair.client("mallory", additional_headers=label) as mallory,
        shared_pair.client("bob", "wx", additional_headers=label) as elsewhere,
    ):
        await alice.send(message("m1", "bob"))
        assert (await receive(bob))["msg_id"] == "m1"
        for other in (mallory, elsewhere):
            await other.send(message("probe", "nobody"))
            assert (await receive(other))["type"] == "sys_error"
        async with shared_pair.client("bob", additional_headers=label) as newer:
            await bob.wait_closed()
            assert bob.close_code == 4409
            await alice.send(message("m2", "bob"))
            assert (await receive(newer))["msg_id"] == "m1"  # which was not acknowledged
            assert (await receive(newer))["msg_id"] == "m2"


async def test_a_refused_key_reaches_nobody(shared_pair: Pair) -> None:
    async with shared_pair.client("bob") as bob, shared_pair.client("alice") as alice:
        for key in ("wrong", "", shared_pair.keys["alice"].split("_")[1]):
            with pytest.raises(InvalidStatus) as caught:
                await shared_pair.client(key)
            assert caught.value.response.status_code == 401
            assert json.loads(caught.value.response.body or b"")["error"] == "unauthenticated"
        await alice.send(message("m1", "bob"))
        assert (await receive(bob))["msg_id"] == "m1"
