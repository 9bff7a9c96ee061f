"""`maim.v1.Bridge`: each call of Attach is one edge."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import grpc

from maim_protocol.bridge import GRPC_PACE, EdgeFrame, RouterFrame
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_protocol.v1 import bridge_pb2 as pb
from maim_protocol.v1 import bridge_pb2_grpc
from maim_router.grpc_server import codec
from maim_router.node import Node

STATUS = {
    AttachProblem.VERSION: grpc.StatusCode.FAILED_PRECONDITION,
    AttachProblem.OPEN: grpc.StatusCode.FAILED_PRECONDITION,
    AttachProblem.EPOCH: grpc.StatusCode.ABORTED,
    AttachProblem.TOKEN: grpc.StatusCode.UNAUTHENTICATED,
    AttachProblem.PROTOCOL: grpc.StatusCode.INVALID_ARGUMENT,
}
END_SECONDS = 0.5
# An edge that is frozen, or cut off without a word, is lost within 10 s: who is silent for the one
# is asked, and has the other for an answer.
SILENCE_SECONDS = 5.0
ANSWER_SECONDS = 5.0
Context = grpc.aio.ServicerContext[pb.EdgeFrame, pb.RouterFrame]


class _Stream:
    """An `EdgeStream` over the two halves of a gRPC call."""

    pace = GRPC_PACE

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writing: asyncio.Task[None] | None = None

    async def read(self) -> EdgeFrame | None:
        message: object = await self._context.read()
        return codec.edge_frame(message) if isinstance(message, pb.EdgeFrame) else None

    def write(self, frame: RouterFrame) -> Awaitable[None]:
        # A task: gRPC has no way to take a write back, and the end of the call would run into it.
        self._writing = asyncio.create_task(self._context.write(codec.router_frame(frame)))
        self._writing.add_done_callback(_retrieve)
        return self._written(self._writing)

    async def _written(self, writing: asyncio.Task[None]) -> None:
        try:
            await asyncio.shield(writing)
        except (grpc.RpcError, grpc.aio.BaseError) as error:
            raise ConnectionError(str(error)) from error

    async def written(self) -> None:
        """Wait until nothing is being written, not longer than an edge that reads would need."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=END_SECONDS)


class BridgeService(bridge_pb2_grpc.BridgeServicer):
    """Serves edges from one node."""

    def __init__(self, node: Node) -> None:
        self._node = node

    # grpc.aio takes a coroutine that writes by itself too; the stubs know the generator only.
    async def Attach(  # type: ignore[override]
        self, request_iterator: object, context: Context
    ) -> None:
        """Serve one edge until it leaves."""
        stream = _Stream(context)
        try:
            await self._node.serve_edge(stream)
        except AttachRefused as error:
            await context.abort(STATUS[error.problem], str(error))
        finally:
            await stream.written()


def _retrieve(write: asyncio.Task[None]) -> None:
    """Look at how a write ended: nobody else does when the attachment ended before it."""
    if not write.cancelled():
        write.exception()
