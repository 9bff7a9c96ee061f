"""What holds for every bridge: one suite, run over each implementation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest

from maim_edge.bridge import Bridge
from maim_edge.bridge.attach import Identity
from maim_edge.bridge.client import BridgeClient
from maim_protocol.bridge.frames import (
    CHUNK_BYTES,
    PROTOCOL_VERSION,
    Admission,
    Chunk,
    Closed,
    Deliveries,
    DisconnectOrder,
    EdgeFrame,
    EdgeMessages,
    EdgeStream,
    Hello,
    Live,
    Open,
    Outcomes,
    Refused,
    Rejection,
    RouterFrame,
    RouterStream,
    Verdict,
    Welcome,
)
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_router.auth.authentication import Auth, AuthAnswer, OpenAuth
from maim_router.hooks.callbacks import Hooks, Metadata
from maim_router.node import Node
from tests.edge.bridge.silent_listener import SilentListener

Serve = Callable[[EdgeStream], Awaitable[None]]
Connected = Callable[[Serve], AbstractAsyncContextManager[Bridge]]

HEADERS = (("user-agent", "test"), ("x-é", "你"))
OPEN = Open(2**64 - 1, "key", "qq", "label", "::1", 1.25, HEADERS)
ADMISSION = Admission("uuid", "alice", b"\x00\xff")
EDGE_FRAME = EdgeFrame(
    hello=Hello("edge", 2**63, 1, "127.0.0.1:1", 10_000, 1, 2**40, 1_000),
    live=[Live(OPEN, ADMISSION)],
    opens=[OPEN],
    chunks=[Chunk(1, b"\x00piece")],
    messages=EdgeMessages([1], [2], ["m"], ["sys_std"], ["bob"], ["qq"], [b'{"a" :1e400}'], [0]),
    closes=[Closed(3, 1006, "gone 你")],
    taken_through=4,
    done=[(1, 3), (5, 5)],
    outcomes=Outcomes([1], [2], [1]),
)
ROUTER_FRAME = RouterFrame(
    welcome=Welcome("router"),
    verdicts=[Verdict(1, ADMISSION), Verdict(2, Refused("unauthenticated", "no"))],
    chunks=[Chunk(1, b"\x00piece")],
    deliveries=Deliveries(
        *([1], [2], [7, 8], ["m"], ["sys_std"], ["alice"], ["qq"], ["bob"], ["wx"]),
        *([1.25], [2], [b"{}"], [0]),
    ),
    disconnects=[DisconnectOrder(7, 4409, "replaced")],
    settled=[(1, 2)],
    rejections=[Rejection(3, "no_route", "nobody")],
)


class KeyAuth:
    """Lets everybody in, and is no `OpenAuth`."""

    async def authenticate(self, metadata: Metadata) -> AuthAnswer:
        """Take the key for the user."""
        return AuthAnswer(metadata["api_key"])

    async def resolve(self, api_key: str, platform: str) -> str:
        """Take the key for the user."""
        return api_key


@asynccontextmanager
async def running_node(auth: Auth) -> AsyncIterator[Node]:
    """A real router without a network."""
    node = Node(Hooks(), auth)
    try:
        yield node
    finally:
        await node.stop()


async def answer(stream: RouterStream) -> RouterFrame | None:
    async with asyncio.timeout(20):
        return await stream.read()


class BridgeContract:
    """Subclasses have the fixture `connected`: a bridge to a router that is one function."""

    async def test_every_field_of_an_edges_frame_arrives(self, connected: Connected) -> None:
        got: asyncio.Queue[EdgeFrame | None] = asyncio.Queue()

        async def serve(stream: EdgeStream) -> None:
            got.put_nowait(await stream.read())

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            await stream.write(EDGE_FRAME)
            assert await asyncio.wait_for(got.get(), 20) == EDGE_FRAME
            await stream.close()

    async def test_every_field_of_a_routers_frame_arrives(self, connected: Connected) -> None:
        async def serve(stream: EdgeStream) -> None:
            await stream.write(ROUTER_FRAME)
            await stream.read()

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            assert await answer(stream) == ROUTER_FRAME
            await stream.close()

    async def test_frames_arrive_in_order_and_none_is_lost(self, connected: Connected) -> None:
        async def serve(stream: EdgeStream) -> None:
            while (frame := await stream.read()) is not None:
                await stream.write(RouterFrame(settled=[(frame.taken_through, 2**40)]))

        async with connected(serve) as bridge:
            stream = await bridge.connect()

            async def send() -> None:
                for number in range(1, 501):
                    await stream.write(EdgeFrame(taken_through=number))

            sending = asyncio.ensure_future(send())
            for number in range(1, 501):
                frame = await answer(stream)
                assert frame is not None
                assert frame.settled == [(number, 2**40)]
            await sending
            await stream.close()

    async def test_large_chunks_pass_both_ways(self, connected: Connected) -> None:
        async def serve(stream: EdgeStream) -> None:
            while (frame := await stream.read()) is not None:
                await stream.write(RouterFrame(chunks=frame.chunks))

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            for size in (CHUNK_BYTES, 4 * CHUNK_BYTES, 16 * CHUNK_BYTES):
                await stream.write(EdgeFrame(chunks=[Chunk(1, b"\xfe" * size)]))
                frame = await answer(stream)
                assert frame is not None
                assert frame.chunks[0].data == b"\xfe" * size
            await stream.close()

    async def test_what_was_written_before_the_end_is_read_and_then_the_end(
        self, connected: Connected
    ) -> None:
        async def serve(stream: EdgeStream) -> None:
            for number in range(1, 11):
                await stream.write(RouterFrame(settled=[(number, number)]))

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            got = [await answer(stream) for _ in range(11)]
            assert [frame.settled[0][0] for frame in got if frame] == list(range(1, 11))
            assert got[-1] is None
            with pytest.raises(ConnectionError):
                await stream.write(EdgeFrame())
            await stream.close()

    @pytest.mark.parametrize("problem", list(AttachProblem))
    async def test_a_refusal_says_which_and_why(
        self, connected: Connected, problem: AttachProblem
    ) -> None:
        async def serve(stream: EdgeStream) -> None:
            await stream.read()
            raise AttachRefused(problem, "the reason")

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            await stream.write(EDGE_FRAME)
            with pytest.raises(AttachRefused, match="the reason") as caught:
                await answer(stream)
            # One gRPC status stands for both.
            same = {AttachProblem.OPEN: AttachProblem.VERSION}
            assert same.get(caught.value.problem, caught.value.problem) is same.get(
                problem, problem
            )
            await stream.close()

    async def test_a_router_that_breaks_is_a_lost_connection(self, connected: Connected) -> None:
        async def serve(stream: EdgeStream) -> None:
            raise RuntimeError("bug")

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            with pytest.raises(ConnectionError):
                await answer(stream)
            await stream.close()

    async def test_a_router_learns_that_the_edge_has_left(self, connected: Connected) -> None:
        entered, left = asyncio.Event(), asyncio.Event()

        async def serve(stream: EdgeStream) -> None:
            try:
                while await stream.read() is not None:
                    entered.set()
            finally:
                left.set()

        async with connected(serve) as bridge:
            stream = await bridge.connect()
            await stream.write(EdgeFrame())
            await asyncio.wait_for(entered.wait(), 20)
            await stream.close()
            await asyncio.wait_for(left.wait(), 20)
            await stream.close()

    async def test_a_router_of_another_version_refuses(self, connected: Connected) -> None:
        async with running_node(KeyAuth()) as node, connected(node.serve_edge) as bridge:
            stream = await bridge.connect()
            hello = Hello("edge", 1, PROTOCOL_VERSION + 1, "127.0.0.1:1")
            await stream.write(EdgeFrame(hello=hello))
            with pytest.raises(AttachRefused, match="version"):
                await answer(stream)
            await stream.close()

    async def test_an_older_epoch_is_refused(self, connected: Connected) -> None:
        async with running_node(KeyAuth()) as node, connected(node.serve_edge) as bridge:
            newer, older = await bridge.connect(), await bridge.connect()
            await newer.write(EdgeFrame(hello=Hello("edge", 2, PROTOCOL_VERSION, "h:1")))
            assert await answer(newer)
            await older.write(EdgeFrame(hello=Hello("edge", 1, PROTOCOL_VERSION, "h:1")))
            with pytest.raises(AttachRefused, match="later run"):
                await answer(older)
            await older.close()
            await newer.close()

    async def test_an_open_router_refuses_an_edge_for_everybody(self, connected: Connected) -> None:
        async with running_node(OpenAuth()) as node, connected(node.serve_edge) as bridge:
            client = BridgeClient(bridge, Identity("e", 1, "0.0.0.0:80"), SilentListener())
            with pytest.raises(AttachRefused, match="lets everybody in"):
                await asyncio.wait_for(client.run(), 20)

    async def test_a_router_that_comes_back_hears_of_more_than_500_live_connections(
        self, connected: Connected
    ) -> None:
        count = 1203
        async with running_node(KeyAuth()) as node, connected(node.serve_edge) as bridge:
            client = BridgeClient(bridge, Identity("e", 1, "127.0.0.1:1"), SilentListener())
            running = asyncio.ensure_future(client.run())
            await asyncio.wait_for(client.wait_attached(), 20)
            asked = [Open(conn, f"user{conn}", "qq") for conn in range(1, count + 1)]
            admitted = await asyncio.gather(*(client.open(one) for one in asked))
            assert len(node.connections) == count
            uuids = {one.connection_uuid for one in admitted if isinstance(one, Admission)}
            node.links[0].lose()
            await asyncio.wait_for(client.wait_lost(), 20)
            await asyncio.wait_for(client.wait_attached(), 20)
            assert len(node.connections) == count
            assert {node.connections.get(uuid) is not None for uuid in uuids} == {True}
            assert len(uuids) == count
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
