"""How connections end, over real sockets (protocol.md, "Closing" and "Keeping alive")."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from maim_edge.websocket.picows.socket import PicowsSocket
from maim_edge.websocket.sansio.protocol import EdgeWebSocketProtocol
from maim_protocol.bridge.frames import (
    BridgeOutcome,
    Deliveries,
    DisconnectOrder,
    RouterFrame,
    Want,
)
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.service.edge_peer import (
    RawClient,
    handshake,
    running_edge,
    silent_client,
    standard,
    text_frame,
)

pytestmark = pytest.mark.usefixtures("each_ws")

KEY = "?api_key=alice&platform=qq"
# Where each protocol class decides about a peer that owes a pong.
JUDGES = {
    "picows": (PicowsSocket, "tick"),
    "websockets-sansio": (EdgeWebSocketProtocol, "keepalive_timeout"),
}


async def closing(conn: ClientConnection) -> tuple[list[dict[str, Any]], int, str]:
    frames = []
    try:
        while True:
            frames.append(json.loads(await asyncio.wait_for(conn.recv(), 15)))
    except ConnectionClosed:
        return frames, conn.close_code or 0, conn.close_reason or ""


async def test_a_clients_own_close_reaches_the_router_with_its_code() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY) as conn:
            await conn.close(4001, "enough")
        await router.until(lambda: router.closes)
    assert router.closes[0].code == 4001


async def test_a_lost_client_is_1006() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY) as conn:
            conn.transport.abort()
        await router.until(lambda: router.closes)
    assert router.closes[0].code == 1006


async def test_a_client_in_the_midst_of_a_frame_over_the_limit_still_reads_why() -> None:
    async with running_edge(ScriptedRouter(), max_message_size=1000) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        # It goes on sending for as long as the kernel takes it, as a client does.
        client.send(text_frame(b"x" * 20_000_000))
        await client.writer.drain()
        opcode, data = await client.frame()
        assert (opcode, json.loads(data)["payload"]["code"]) == (Opcode.TEXT, "too_large")
        opcode, data = await client.frame()
        assert (opcode, int.from_bytes(data[:2])) == (Opcode.CLOSE, 1009)
        await client.aclose()


async def test_messages_before_a_close_are_not_lost() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY) as conn:
            for index in range(50):
                await conn.send(standard(f"m{index}"))
        await router.until(lambda: router.closes)
    assert [got.msg_id for got in router.got] == [f"m{index}" for index in range(50)]


async def test_a_disconnect_comes_behind_what_was_delivered_before() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        handle = router.opens[0].conn
        columns = Deliveries()
        for index in range(100):
            router.add(columns, [handle], b"{}", f"d{index}")
        order = DisconnectOrder(handle, 4409, "replaced by a newer connection")
        await router.write(RouterFrame(deliveries=columns, disconnects=[order]))
        frames, code, reason = await closing(conn)
        await router.until(lambda: router.closes)
    assert [frame["msg_id"] for frame in frames] == [f"d{index}" for index in range(100)]
    assert (code, reason) == (4409, "replaced by a newer connection")
    assert router.closes[0].code == 4409


async def test_a_burst_of_more_messages_than_the_limit_reaches_a_client_that_reads() -> None:
    router = ScriptedRouter()
    async with running_edge(router, outbox_messages=100) as edge, connect(edge.url + KEY) as conn:
        handle = router.opens[0].conn
        for start in range(0, 5000, 1000):
            columns = Deliveries()
            for index in range(start, start + 1000):
                router.add(columns, [handle], b"{}", f"d{index}")
            await router.write(RouterFrame(deliveries=columns))
        got = [json.loads(await conn.recv())["msg_id"] for _ in range(5000)]
    assert got == [f"d{index}" for index in range(5000)]


async def test_a_client_that_never_reads_is_dropped_with_bounded_memory() -> None:
    router = ScriptedRouter()
    limit = 1_000_000
    async with running_edge(router, outbox_bytes=limit) as edge:
        client = await silent_client(edge)
        handle = router.opens[0].conn
        assert edge.gateway is not None
        (connection,) = edge.gateway._registry
        most = 0
        body = b'{"x":"' + b"x" * 100_000 + b'"}'
        while not router.closes:
            await router.deliver([handle], body)
            most = max(most, connection.pending_bytes)
        # What the transport takes beside the outbox: up to its high-water mark and one message.
        assert most <= limit + 64 * 1024 + len(body) + 1000
        assert router.closes[0].code == 4408
        await router.until(lambda: BridgeOutcome.SLOW in {o for *_, o in router.outcomes})
        await router.until(lambda: len(router.done) == router._deliveries)
        await edge.gateway._empty.wait()
        assert edge.gateway.connections == 0
        await client.aclose()


async def test_a_slow_client_holds_up_nobody_else() -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        client = await silent_client(edge)
        quick, slow = (asked.conn for asked in router.opens)
        body = b'{"x":"' + b"x" * 200_000 + b'"}'
        for _ in range(30):
            await router.deliver([slow], body)
        await router.deliver([slow, quick], b"{}", "both")
        assert json.loads(await conn.recv())["msg_id"] == "both"
        client.writer.transport.abort()


async def test_a_peer_that_answers_no_ping_is_dropped() -> None:
    router = ScriptedRouter()
    async with running_edge(router, ping_interval=0.05, ping_timeout=0.05) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        assert (await client.frame())[0] is Opcode.PING
        await router.until(lambda: router.closes)
        await client.rest()
        await client.aclose()
    assert router.closes[0].code == 1006


async def test_a_peer_that_answers_pings_stays() -> None:
    router = ScriptedRouter()
    async with running_edge(router, ping_interval=0.02, ping_timeout=5) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        for _ in range(5):
            opcode, data = await client.frame()
            assert opcode is Opcode.PING
            client.send(text_frame(data, opcode=Opcode.PONG))
        await client.aclose()
        await router.until(lambda: router.closes)
    assert [closed.code for closed in router.closes] == [1006]


async def test_a_sender_that_is_held_back_is_not_taken_for_dead(
    each_ws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name = JUDGES[each_ws]
    judged, judge = asyncio.Semaphore(0), getattr(owner, name)

    def counted(*args: Any) -> None:
        judge(*args)
        judged.release()

    monkeypatch.setattr(owner, name, counted)
    router = ScriptedRouter(settles=False)
    async with running_edge(router, ping_interval=0.05, ping_timeout=0.05) as edge:
        client = await RawClient.connect(edge)
        client.send(handshake())
        await client.head()
        # More than one connection may have unsettled: the edge stops reading, pongs wait behind.
        for index in range(1100):
            client.send(text_frame(standard(f"m{index}")))
        await router.until(lambda: len(router.got) == 1024)
        opcode, data = await client.frame()
        assert opcode is Opcode.PING
        client.send(text_frame(data, opcode=Opcode.PONG))
        for _ in range(3):
            await asyncio.wait_for(judged.acquire(), 10)
        assert router.closes == []
        router.settles = True
        await router.write(RouterFrame(settled=[(1, 1024)]))
        await router.until(lambda: len(router.got) == 1100)
        client.writer.transport.abort()


async def test_draining_gives_notice_and_closes_with_1001() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router, drain_window=1.5) as edge:
        async with (
            connect(edge.url + KEY) as conn,
            connect(edge.url + KEY + "&format=bare") as bare,
        ):
            await conn.send(standard("m1"))
            await router.until(lambda: router.got)
            stopping = asyncio.ensure_future(edge.stop())
            await router.write(RouterFrame(settled=[(1, 1)]))
            frames, code, _ = await closing(conn)
            assert (await closing(bare))[:2] == ([], 1001)
            await stopping
    assert code == 1001
    (notice,) = [frame for frame in frames if frame["type"] == "sys_notice"]
    assert notice["payload"]["event"] == "drain"
    assert 0 <= notice["payload"]["retry_after_ms"] <= 1500
    assert [f["meta"]["acked_msg_id"] for f in frames if f["type"] == "sys_ack"] == ["m1"]


async def test_an_edge_with_a_client_that_never_reads_stops_in_time() -> None:
    router = ScriptedRouter()
    loop = asyncio.get_running_loop()
    async with running_edge(router, drain_window=3) as edge:
        client = await silent_client(edge)
        for _ in range(50):
            await router.deliver([router.opens[0].conn], b'{"x":"' + b"x" * 200_000 + b'"}')
        began = loop.time()
        await edge.stop()
        assert loop.time() - began < 4.5
        client.writer.transport.abort()


async def test_no_router_for_longer_than_the_grace_is_4503() -> None:
    router = ScriptedRouter()
    async with running_edge(router, grace=0.1) as edge, connect(edge.url + KEY) as conn:
        router.welcomes = False
        router.leave()
        _, code, _ = await closing(conn)
    assert code == 4503


async def test_a_router_that_comes_back_finds_the_clients_and_their_messages() -> None:
    router = ScriptedRouter(settles=False)
    async with running_edge(router) as edge, connect(edge.url + KEY) as conn:
        for index in range(10):
            await conn.send(standard(f"m{index}"))
        await router.until(lambda: len(router.got) == 10)
        router.got.clear()
        router.settles = True
        router.leave()
        await router.until(lambda: len(router.got) == 10)
        acked = [json.loads(await conn.recv())["meta"]["acked_msg_id"] for _ in range(10)]
    (live,) = router.live
    assert live.admission.user_id == "alice"
    assert live.open == router.opens[0]
    assert acked == [got.msg_id for got in router.got] == [f"m{index}" for index in range(10)]


@pytest.mark.parametrize("want", [Want.WRITTEN, Want.ACKED])
async def test_a_delivery_to_somebody_who_left_is_gone(want: Want) -> None:
    router = ScriptedRouter()
    async with running_edge(router) as edge:
        async with connect(edge.url + KEY):
            handle = router.opens[0].conn
        await router.until(lambda: router.closes)
        await router.deliver([handle], b"{}", want=want)
        await router.until(lambda: router.done)
    assert router.outcomes == [(1, handle, BridgeOutcome.GONE)]
