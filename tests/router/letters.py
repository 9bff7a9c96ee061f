"""A router with a small mailbox, and what tests of it say to each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from maim_protocol.bridge.frames import BridgeOutcome, EdgeFrame, Outcomes
from maim_router.auth.authentication import OpenAuth
from maim_router.hooks.callbacks import Hooks
from maim_router.mailbox import Bounds, MemoryMailbox
from maim_router.node import Node, NodeOptions
from tests.router.memory_edge import Delivered, MemoryEdge

BOB = ("bob", "qq")
BOUNDS = Bounds(messages=3, bytes=1000, total_bytes=10_000)


def make(mailbox: MemoryMailbox | None = None) -> Node:
    """A router that lets everybody in."""
    mailbox = mailbox or MemoryMailbox(BOUNDS)
    options = NodeOptions(stop_timeout=0)
    return Node(Hooks(), OpenAuth(), options, mailbox=mailbox)


@asynccontextmanager
async def running(node: Node) -> AsyncIterator[Node]:
    """Stop it in the end, and do not wait for ever before that."""
    async with asyncio.timeout(30):
        yield node
        await node.stop()


async def ids(edge: MemoryEdge, count: int) -> list[str]:
    """The msg_ids of the next deliveries."""
    return [(await edge.delivered()).msg_id for _ in range(count)]


def gone(got: Delivered, conn: int, code: BridgeOutcome = BridgeOutcome.GONE) -> EdgeFrame:
    """What an edge says of a delivery that a connection did not get."""
    n = got.ordinal
    return EdgeFrame(taken_through=n, done=[(n, n)], outcomes=Outcomes([n], [conn], [code]))
