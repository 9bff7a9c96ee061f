"""What edges give back of streams that are lost, and to whom a router passes it on."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from maim_protocol.bridge.frames import Admission, Deliveries, EdgeFrame, Live, Open, Verdict
from maim_protocol.errors import AttachRefused
from maim_router.auth.authentication import CallbackAuth
from maim_router.auth.signing import Signer
from maim_router.events import EdgeKey
from maim_router.hooks.callbacks import AuthCallback, Hooks
from maim_router.mailbox import MemoryMailbox
from maim_router.node import Node, NodeOptions
from tests.router.letters import BOB, BOUNDS, running
from tests.router.memory_edge import MemoryEdge

KEY = b"a key that the routers share"
BOB_WAS = Open(9, "key of bob", "qq")


def make(signer: Signer | None = None, on_auth: AuthCallback | None = None) -> Node:
    """A router that knows keys of users by their names."""
    hooks = Hooks(
        on_auth=on_auth or (lambda metadata: metadata["api_key"].startswith("key of ")),
        on_auth_extract_user=lambda metadata: metadata["api_key"].removeprefix("key of "),
    )
    mailbox, options = MemoryMailbox(BOUNDS), NodeOptions(stop_timeout=0)
    return Node(hooks, CallbackAuth(hooks, 5.0), options, mailbox=mailbox, signer=signer)


def given_back(user: str = "bob", conn: int = 9, platform: str = "qq") -> Deliveries:
    return Deliveries(
        ordinals=[4],
        conns=[conn],
        msg_ids=["m1"],
        types=["sys_std"],
        sender_users=["alice"],
        sender_platforms=["qq"],
        target_users=[user],
        platforms=[platform],
        timestamps=[time.time()],
        payloads=[b"{}"],
        numbers=[77],
    )


def kept(node: Node) -> bool:
    assert node.mailbox_delivery.mailbox is not None
    return node.mailbox_delivery.mailbox.has(*BOB)


async def answered(edge: MemoryEdge) -> list[tuple[int, int]]:
    """What the router says that it keeps, or that nobody shall keep."""
    return (await edge.stream.down.get()).kept


@pytest.mark.parametrize("key", [KEY, None], ids=["with a proof", "by its credential"])
async def test_it_is_kept_for_the_user_who_was_connected_there(key: bytes | None) -> None:
    """Another router sent it, and that one is lost as well as the client."""
    signer = Signer(KEY)
    live = Live(BOB_WAS, signer.sign(EdgeKey("edge-1", 1), BOB_WAS, Admission("uuid-9", "bob")))
    async with running(make(Signer(key))) as node:
        edge = await MemoryEdge(node).attach()
        edge.send(EdgeFrame(given_back=given_back(), given_back_from=[live]))
        assert await answered(edge) == [(4, 4)]
        assert kept(node)
        await edge.admitted(10, "key of bob")
        got = await edge.delivered()
        assert (got.msg_id, got.sender_user, got.target_user) == ("m1", "alice", "bob")


async def turns() -> None:
    """Let everybody go on who can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_whoever_comes_again_gets_it_before_anything_newer() -> None:
    """Both wait for the callback, the handshake no longer than what came back."""
    gates = [asyncio.Event(), asyncio.Event()]
    waiting = iter(gates)

    async def on_auth(metadata: dict[str, Any]) -> bool:
        if metadata["api_key"] == BOB_WAS.api_key:
            await next(waiting).wait()
        return True

    async with running(make(on_auth=on_auth)) as node:
        edge = await MemoryEdge(node).attach()
        await edge.admitted(1, "key of alice")
        edge.message(1, "newer", ("key of bob", "qq"))
        assert isinstance(await edge.hear(), int)
        live = Live(BOB_WAS, Admission("uuid-9", "bob"))
        edge.send(EdgeFrame(given_back=given_back(), given_back_from=[live]))
        edge.open(10, BOB_WAS.api_key)
        await turns()
        gates[1].set()
        await turns()
        assert edge.stream.down.empty()
        gates[0].set()
        assert isinstance(await edge.hear(), Verdict)
        got = [await edge.delivered(), await edge.delivered()]
        assert [one.msg_id for one in got] == ["m1", "newer"]


MALLORY = Live(replace(BOB_WAS, api_key="key of mallory"), Admission("uuid-9", "bob"))
WRONG = Live(replace(BOB_WAS, api_key="wrong"), Admission("uuid-9", "bob"))
ELSEWHERE = Live(replace(BOB_WAS, platform="wx"), Admission("uuid-9", "bob"))


@pytest.mark.parametrize(
    "owners",
    [[], [MALLORY], [WRONG], [ELSEWHERE]],
    ids=["nobody's", "another user's", "a wrong key's", "another platform's"],
)
async def test_a_forged_one_reaches_nobody_and_is_answered(owners: list[Live]) -> None:
    async with running(make()) as node:
        edge = await MemoryEdge(node).attach()
        edge.send(EdgeFrame(given_back=given_back(), given_back_from=owners))
        assert await answered(edge) == [(4, 4)]
        assert not kept(node)


async def test_a_malformed_one_ends_the_attachment() -> None:
    async with running(make()) as node:
        edge = await MemoryEdge(node).attach()
        edge.send(EdgeFrame(given_back=Deliveries(ordinals=[1], conns=[1])))
        with pytest.raises(AttachRefused, match="given_back"):
            await edge.serving
