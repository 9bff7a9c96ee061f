"""What happens to frames, over real sockets (protocol.md, "Frames")."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from maim_protocol.bridge.frames import BridgeOutcome, Deliveries, Rejection, RouterFrame, Want
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import (
    RawClient,
    handshake,
    payload,
    running_edge,
    standard,
    text_frame,
)

pytestmark = pytest.mark.usefixtures("each_ws")

KEY = "?api_key=alice&platform=qq"


async def receive(conn: ClientConnection) -> dict[str, Any]:
    data = await asyncio.wait_for(conn.recv(), 10)
    assert isinstance(data, str)
    frame: dict[str, Any] = json.loads(data)
    return frame


async def closing(conn: ClientConnection) -> tuple[list[dict[str, Any]], int]:
    frames = []
    try:
        while True:
            frames.append(await receive(conn))
    except ConnectionClosed:
        return frames, conn.close_code or 0


def codes(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["payload"]["code"] for frame in frames if frame["type"] == "sys_error"]


async def test_an_ack_comes_when_the_message_is_settled_and_not_before() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send(standard("m1"))
        await conn.send("[")
        assert codes([await receive(conn)]) == ["bad_envelope"]
        await router.until(lambda: router.got)
        await router.write(RouterFrame(settled=[(1, 1)]))
        ack = await receive(conn)
        assert ack["type"] == "sys_ack"
        assert ack["meta"]["acked_msg_id"] == "m1"
        assert ack["meta"]["uuid"] == f"uuid-{router.opens[0].conn}"
        assert ack["payload"]["status"] == "received"
    (got,) = router.got
    assert (got.type, got.target) == ("sys_std", ("bob", "qq"))


DEEP = "[" * 100_000 + "]" * 100_000  # deeper than any interpreter of ours goes


@pytest.mark.parametrize(
    ("frame", "code", "msg_id"),
    [
        ("", "bad_json", None),
        ("nonsense", "bad_json", None),
        ("[" * 100_000, "bad_envelope", None),
        ('{"payload":' + "[" * 100_000, "bad_json", None),
        (standard("m1")[:-1] + f',"x":{DEEP}}}', "bad_json", None),
        (b'{"type":"custom_a","payload":{"a":"\xff"}}', "bad_json", None),
        ("[]", "bad_envelope", None),
        ('{"msg_id":"m1"}', "bad_envelope", "m1"),
        (standard("m1", ver=2), "bad_envelope", "m1"),
        (standard("x" * 129), "bad_envelope", None),
        (standard(""), "bad_envelope", None),
        (standard("m1", type="sys_error"), "unknown_type", "m1"),
        (standard("m1", type="sys_notice"), "unknown_type", "m1"),
        (standard("m1", type="custom_"), "unknown_type", "m1"),
        (standard("m1", type="hello"), "unknown_type", "m1"),
        (standard("m1", payload=[]), "bad_message", "m1"),
        (standard("m1", payload={"message_info": {}}), "bad_message", "m1"),
        (standard("m1", payload=payload(key="")), "bad_message", "m1"),
    ],
)
async def test_a_frame_that_is_not_taken_is_answered_with_its_code(
    frame: str | bytes, code: str, msg_id: str | None
) -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send(frame)
        error = await receive(conn)
        assert error["type"] == "sys_error"
        assert (error["payload"]["code"], error["payload"]["msg_id"]) == (code, msg_id)
        assert error["payload"]["message"]
        await conn.send(standard("next"))
        assert (await receive(conn))["meta"]["acked_msg_id"] == "next"
    assert [got.msg_id for got in router.got] == ["next"]


@pytest.mark.parametrize("code", ["no_route", "internal", "mailbox_full"])
async def test_a_rejection_of_the_router_reaches_the_sender(code: str) -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send(standard("m1"))
        await router.until(lambda: router.got)
        await router.write(RouterFrame(rejections=[Rejection(1, code, "why")]))
        told = (await receive(conn))["payload"]
        assert told == {"code": code, "message": "why", "msg_id": "m1"}


async def test_a_code_of_a_newer_router_is_internal() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send(standard("m1"))
        await router.until(lambda: router.got)
        await router.write(RouterFrame(rejections=[Rejection(1, "on_strike", "why")]))
        assert codes([await receive(conn)]) == ["internal"]


async def test_a_malformed_frame_of_the_router_only_costs_the_attachment() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await router.write(RouterFrame(deliveries=Deliveries(ordinals=[1], fanouts=[])))
        await router.until(lambda: len(router.hellos) == 2)
        await conn.send(standard("m1"))
        assert (await receive(conn))["meta"]["acked_msg_id"] == "m1"


@pytest.mark.parametrize("pieces", [1, 3])
async def test_a_frame_over_the_limit_is_named_and_the_connection_closed(pieces: int) -> None:
    router = ScriptedRouter()
    async with running_edge(router, max_message_size=10_000) as edge:
        async with connect(edge.url + KEY) as conn:
            large = "x" * 5_000_000
            with suppress(ConnectionClosed):
                await conn.send([large] * pieces if pieces > 1 else large)
            frames, code = await closing(conn)
        assert (codes(frames), code) == (["too_large"], 1009)
        assert "10000" in frames[0]["payload"]["message"]
        await router.until(lambda: router.closes)
    assert router.closes[0].code == 1009
    assert router.got == []


async def test_a_frame_of_exactly_the_limit_passes() -> None:
    frame = standard("m1")
    async with running_edge(ScriptedRouter(), max_message_size=len(frame)) as edge:
        async with connect(edge.url + KEY) as conn:
            await conn.send(frame)
            assert (await receive(conn))["type"] == "sys_ack"


async def test_over_the_rate_is_told_and_then_ended_with_4429() -> None:
    router = ScriptedRouter()
    async with running_edge(router, messages_per_second=2) as edge:
        async with connect(edge.url + KEY) as conn:
            for index in range(60):
                await conn.send(standard(f"m{index}"))
            frames, code = await closing(conn)
    assert code == 4429
    assert codes(frames) == ["rate_limited"] * 20
    assert len(router.got) <= 4


async def test_twenty_bad_frames_in_a_minute_are_ended_with_4400() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        for _ in range(20):
            await conn.send("bad")
        frames, code = await closing(conn)
        assert code == 4400
        assert codes(frames) == ["bad_json"] * 20
        await router.until(lambda: router.closes)
    assert router.closes[0].code == 4400


async def test_text_that_is_not_utf8_is_ended_with_1007() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        client.send(text_frame(b'{"type":"custom_a","payload":{"a":"\xff"}}'))
        opcode, data = await client.frame()
        assert (opcode, int.from_bytes(data[:2])) == (Opcode.CLOSE, 1007)
        await client.aclose()
    assert router.got == []


async def test_binary_frames_of_utf8_are_taken_and_answered_in_text() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send(standard("m1", "你好").encode())
        assert (await receive(conn))["meta"]["acked_msg_id"] == "m1"


async def test_a_fragmented_message_with_pings_between_is_one_message() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        data = standard("m1", "你好").encode()
        for start in range(0, len(data), 7):
            opcode = Opcode.TEXT if start == 0 else Opcode.CONT
            piece = data[start : start + 7]
            client.send(text_frame(piece, opcode=opcode, fin=start + 7 >= len(data)))
            client.send(text_frame(b"p", opcode=Opcode.PING))
        pongs = 0
        while (got := await client.frame())[0] is Opcode.PONG:
            pongs += 1
        assert json.loads(got[1])["type"] == "sys_ack"
        assert pongs > 0
        await client.aclose()


async def test_payload_bytes_pass_untouched_in_both_directions() -> None:
    odd = '{ "b":1e400, "a" : "\\u4f60你", "a":340282366920938463463374607431768211456,"\\/":-0.0 }'
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        await conn.send('{"type":"custom_odd", "payload": ' + odd + ',"msg_id":"m1"}')
        await receive(conn)
        await router.deliver([router.opens[0].conn], odd.encode(), type="custom_odd")
        delivered = await conn.recv()
    assert router.got[0].payload.decode() == odd
    assert isinstance(delivered, str)
    assert delivered.endswith('"payload":' + odd + "}")


async def test_a_large_delivery_comes_in_pieces_of_one_message() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY, max_size=None) as conn:
        large = json.dumps({"x": "你" * 700_000}, ensure_ascii=False).encode()
        await router.deliver([router.opens[0].conn], large)
        assert (await receive(conn))["payload"] == json.loads(large)
        await router.until(lambda: router.outcomes)


async def test_a_clients_ack_is_reported_to_the_router() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        handle = router.opens[0].conn
        await router.deliver([handle], b"{}", "d7", Want.ACKED)
        await receive(conn)
        await conn.send('{"type":"sys_ack","meta":{"acked_msg_id":"d7"}}')
        await router.until(lambda: router.done)
    assert router.outcomes == [(1, handle, BridgeOutcome.WRITTEN), (1, handle, BridgeOutcome.ACKED)]


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
async def test_a_large_frame_that_is_not_utf8_is_ended_with_1007(opcode: Opcode) -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        large = b'{"type":"custom_a","payload":{"a":"' + "你".encode() * 500_000 + b'\xe4"}}'
        client.send(text_frame(large, opcode=opcode))
        got, data = await client.frame()
        assert (got, int.from_bytes(data[:2])) == (Opcode.CLOSE, 1007)
        await client.aclose()
    assert router.got == []


async def test_acknowledgements_are_not_held_against_the_rate() -> None:
    router = ScriptedRouter()
    async with running_edge(router, messages_per_second=1) as edge, connect(edge.url + KEY) as conn:
        for index in range(50):
            ack = {"type": "sys_ack", "meta": {"acked_msg_id": f"d{index}"}}
            await conn.send(json.dumps(ack))
        await conn.send(standard("m1"))
        assert (await receive(conn))["meta"]["acked_msg_id"] == "m1"


async def test_what_comes_behind_the_last_forgiven_error_is_not_taken() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        client.send(text_frame("bad") * 20 + text_frame(standard("late")) * 5)
        await router.until(lambda: router.closes)
        await client.aclose()
    assert router.closes[0].code == 4400
    assert router.got == []
