"""The bridge client: attach, keep, replay, hold back, give up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from maim_edge.bridge import LocalBridge, uplink
from maim_edge.bridge import client as client_module
from maim_edge.bridge.attach import LIVE_PER_FRAME, Identity, hello_frames, new_epoch
from maim_edge.bridge.client import BridgeClient
from maim_protocol.bridge.frames import (
    Admission,
    Deliveries,
    DisconnectOrder,
    Live,
    Open,
    Refused,
    Rejection,
    RouterFrame,
    Verdict,
    Want,
)
from maim_protocol.envelope import ClientFrame, Target
from maim_protocol.errors import RouterUnavailable
from tests.edge.bridge.scripted_router import ScriptedRouter
from tests.edge.bridge.silent_listener import SilentListener

IDENTITY = Identity("edge", 7, "127.0.0.1:1", 99)
SECONDS = 20.0


def message(msg_id: str, size: int = 5) -> ClientFrame:
    return ClientFrame("sys_std", msg_id, Target("bob", "qq"), b"x" * size)


class Attached:
    """A client that runs over a scripted router."""

    def __init__(self, router: ScriptedRouter, grace: float) -> None:
        self.heard = SilentListener()
        self.client = BridgeClient(LocalBridge(router.serve), IDENTITY, self.heard, grace)
        self.router = router

    async def admit(self, conn: int) -> Admission:
        """Open a connection."""
        answer = await asyncio.wait_for(self.client.open(Open(conn, "alice", "qq")), SECONDS)
        assert isinstance(answer, Admission)
        return answer

    async def lose(self) -> None:
        """End the stream and wait until the client knows."""
        self.router.leave()
        await asyncio.wait_for(self.client.wait_lost(), SECONDS)

    async def again(self) -> None:
        """Wait until it is attached."""
        await asyncio.wait_for(self.client.wait_attached(), SECONDS)


@asynccontextmanager
async def attached(router: ScriptedRouter, grace: float = 30.0) -> AsyncIterator[Attached]:
    pair = Attached(router, grace)
    running = asyncio.ensure_future(pair.client.run())
    try:
        await pair.again()
        yield pair
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_the_hello_says_who_attaches() -> None:
    router = ScriptedRouter()
    async with attached(router):
        (hello,) = router.hellos
    assert (hello.edge_id, hello.epoch, hello.address) == ("edge", 7, "127.0.0.1:1")
    assert (hello.capacity, hello.live_count) == (99, 0)


def test_live_connections_are_announced_in_frames_of_bounded_size() -> None:
    live = [Live(Open(n, "k", "qq"), Admission("u", "a")) for n in range(LIVE_PER_FRAME * 2 + 1)]
    said = list(hello_frames(IDENTITY, live))
    assert [len(frame.live) for frame in said] == [LIVE_PER_FRAME, LIVE_PER_FRAME, 1]
    assert [frame.hello is not None for frame in said] == [True, False, False]
    assert said[0].hello is not None
    assert said[0].hello.live_count == len(live)


def test_epochs_grow() -> None:
    assert new_epoch() < new_epoch()


async def test_a_verdict_is_an_admission_or_a_refusal() -> None:
    router = ScriptedRouter()
    async with attached(router) as pair:
        assert (await pair.admit(1)).user_id == "alice"
        router.verdict = lambda asked: Refused("unauthenticated", "no")
        refused = await pair.client.open(Open(2, "eve", "qq"))
        assert refused == Refused("unauthenticated", "no")
        await pair.lose()
        await pair.again()
        assert [live.open.conn for live in router.live] == [1]


async def test_an_open_that_waits_fails_when_the_router_is_lost() -> None:
    router = ScriptedRouter(verdict=lambda asked: None)
    async with attached(router) as pair:
        opening = asyncio.ensure_future(pair.client.open(Open(1, "alice", "qq")))
        await router.until(lambda: router.opens)
        await pair.lose()
        with pytest.raises(RouterUnavailable):
            await opening
        await pair.again()
        assert router.live == []


async def test_without_a_router_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "OPEN_WAIT_SECONDS", 0.01)
    router = ScriptedRouter()
    async with attached(router) as pair:
        router.welcomes = False
        await pair.lose()
        with pytest.raises(RouterUnavailable):
            await pair.client.open(Open(1, "alice", "qq"))


async def test_an_open_that_is_given_up_is_told_to_the_router() -> None:
    router = ScriptedRouter(verdict=lambda asked: None)
    async with attached(router) as pair:
        opening = asyncio.ensure_future(pair.client.open(Open(1, "alice", "qq")))
        await router.until(lambda: router.opens)
        opening.cancel()
        pair.client.closed(1, 1006, "left during the handshake")
        await router.until(lambda: router.closes)
        await router.write(RouterFrame(verdicts=[Verdict(1, Admission("u", "alice"))]))
        await pair.lose()
        await pair.again()
        assert router.live == []


async def test_what_is_unsettled_is_replayed_in_order() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        await pair.admit(1)
        for index in range(10):
            pair.client.send(1, message(f"m{index}", 400_000 if index == 4 else 5))
        await router.until(lambda: len(router.got) == 10)
        await router.write(RouterFrame(settled=[(1, 2)], rejections=[Rejection(4, "no_route", "")]))
        while len(pair.heard.settled) < 2 or not pair.heard.rejected:
            await router.deliver([], b"{}")
            await router.until(lambda: router.done)
            router.done.clear()
        router.got.clear()
        await pair.lose()
        pair.client.send(1, message("late"))
        await pair.again()
        await router.until(lambda: len(router.got) == 8)
    assert pair.heard.settled == [(1, "m0"), (1, "m1")]
    assert pair.heard.rejected == [(1, "m3", "no_route")]
    again = [got.msg_id for got in router.got]
    assert again == ["m2", "m4", "m5", "m6", "m7", "m8", "m9", "late"]


async def test_a_connection_that_left_meanwhile_is_not_announced() -> None:
    router = ScriptedRouter()
    async with attached(router) as pair:
        for conn in (1, 2, 3):
            await pair.admit(conn)
        pair.client.closed(1, 1000, "")
        await router.until(lambda: router.closes)
        await pair.lose()
        pair.client.closed(2, 1000, "")
        await pair.again()
        assert [live.open.conn for live in router.live] == [3]
        assert [closed.conn for closed in router.closes] == [1]


async def test_one_connection_is_held_back_and_the_others_are_not() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        room = [pair.client.send(1, message("m")) for _ in range(uplink.CONN_MESSAGES)]
        assert room == [True] * (uplink.CONN_MESSAGES - 1) + [False]
        assert pair.client.send(2, message("other"))
        await router.until(lambda: len(router.got) > uplink.CONN_MESSAGES)
        assert pair.heard.room == []
        await router.write(RouterFrame(settled=[(1, 1)]))
        await router.deliver([], b"{}")
        await router.until(lambda: router.done)
        assert pair.heard.room == [1]


async def test_a_connection_that_is_held_back_may_leave() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        assert not pair.client.send(1, message("large", uplink.CONN_BYTES))
        await router.until(lambda: router.got)
        pair.client.closed(1, 1006, "")
        await router.write(RouterFrame(settled=[(1, 1)]))
        await asyncio.wait_for(pair.client.wait_settled(), SECONDS)
        assert pair.heard.room == []


async def test_a_delivery_may_settle_a_message_of_the_same_edge() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        pair.client.send(1, message("m1"))
        pair.client.send(1, message("m2"))
        await router.until(lambda: len(router.got) == 2)
        columns = Deliveries()
        router.add(columns, [], b"{}", "d1", Want.DONE)
        router.add(columns, [], b"{}", "d2", Want.DONE)
        columns.settles = [0, 2]
        await router.write(RouterFrame(deliveries=columns))
        await router.until(lambda: router.done == {1, 2})
        assert pair.heard.settled == [(1, "m2")]
        assert pair.client.unsettled == 1


async def test_a_report_that_nobody_waits_for_comes_by_itself() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        pair.client.send(1, message("m1"))
        await router.until(lambda: router.got)
        columns = Deliveries()
        router.add(columns, [], b"{}", "d1", Want.DONE)
        columns.settles = [1]
        await router.write(RouterFrame(deliveries=columns))
        await router.until(lambda: router.done == {1})


async def test_what_is_owed_is_told_before_the_end() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        pair.client.send(1, message("m1"))
        await router.until(lambda: router.got)
        columns = Deliveries()
        router.add(columns, [], b"{}", "d1", Want.DONE)
        columns.settles = [1]
        await router.write(RouterFrame(deliveries=columns))
        await asyncio.wait_for(pair.client.wait_settled(), SECONDS)
        await asyncio.wait_for(pair.client.finish(), SECONDS)
        await router.until(lambda: router.done == {1})


async def test_settled_is_awaited_until_everything_is_answered() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router) as pair:
        await asyncio.wait_for(pair.client.wait_settled(), SECONDS)
        pair.client.send(1, message("m"))
        waiting = asyncio.ensure_future(pair.client.wait_settled())
        await router.until(lambda: router.got)
        assert not waiting.done()
        assert pair.client.unsettled == 1
        await router.write(RouterFrame(settled=[(1, 1)]))
        await asyncio.wait_for(waiting, SECONDS)


async def test_orders_reach_the_listener() -> None:
    router = ScriptedRouter()
    async with attached(router) as pair:
        await router.write(RouterFrame(disconnects=[DisconnectOrder(5, 4000)]))
        await router.deliver([], b"{}", "d1")
        await router.until(lambda: router.done)
    assert pair.heard.disconnected == [5]
    assert pair.heard.delivered == ["d1"]


async def test_after_the_grace_everything_is_given_up_and_begins_anew() -> None:
    router = ScriptedRouter(settles=False)
    async with attached(router, grace=0.05) as pair:
        pair.client.send(1, message("m"))
        await router.until(lambda: router.got)
        router.welcomes = False
        await pair.lose()
        await asyncio.wait_for(pair.client.wait_settled(), SECONDS)
        assert pair.heard.lost == 1
        assert pair.client.unsettled == 0
