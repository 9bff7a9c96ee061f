"""`maim.v1.Bridge` over thin HTTP/2 streams: each connection of an edge is one attachment."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from maim_protocol.bridge import HTTP2_PACE, SENT, EdgeFrame, RouterFrame
from maim_protocol.errors import AttachProblem, AttachRefused
from maim_protocol.http2 import (
    CallFailed,
    CallStream,
    Field,
    Fields,
    Limits,
    Request,
    Status,
    read_request,
)
from maim_router.control import CallError
from maim_router.grpc_server import codec
from maim_router.grpc_server.access import Access
from maim_router.grpc_server.attach_grpc import ANSWER_SECONDS, SILENCE_SECONDS, STATUS
from maim_router.node import Node

log = logging.getLogger(__name__)

ATTACH = "/maim.v1.Bridge/Attach"
# The answers of grpcio, so that an edge need not know what serves it.
_UNKNOWN_METHOD = "Method not found!"
_STOPPING = "the router is stopping"
_BUG = "the attachment failed in the router; its log tells why"


class _Stream:
    """An `EdgeStream` over a call of our own."""

    pace = HTTP2_PACE

    def __init__(self, call: CallStream) -> None:
        self._call = call

    async def read(self) -> EdgeFrame | None:
        wire = await self._call.read()
        try:
            return None if wire is None else codec.decode(wire)
        except ValueError as error:
            text = f"expected an EdgeFrame: {error}"
            raise AttachRefused(AttachProblem.PROTOCOL, text) from None

    def write(self, frame: RouterFrame) -> Awaitable[None]:
        return self._call.write(codec.encode(frame)) or SENT


class Attachments:
    """Serves edges from one node; `access` tells who may attach, None: everybody."""

    def __init__(self, node: Node, access: Access | None) -> None:
        self._node = node
        self._access = access
        self._limits = Limits(keepalive_seconds=SILENCE_SECONDS, answer_seconds=ANSWER_SECONDS)
        self._running: dict[asyncio.Task[None], CallStream] = {}

    def protocol(self, on_closed: Callable[[], None]) -> CallStream:
        """Make what serves one connection; `on_closed` is called at its end."""
        return CallStream(self._limits, self._on_request, on_closed=on_closed)

    async def stop(self, grace: float) -> None:
        """Let attachments end for `grace` seconds, then end them."""
        for call in self._running.values():
            call.leave()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _on_request(self, call: CallStream, fields: Fields) -> None:
        task = asyncio.get_running_loop().create_task(self._answer(call, fields))
        self._running[task] = call
        task.add_done_callback(self._running.pop)

    async def _answer(self, call: CallStream, fields: Fields) -> None:
        """Serve, and say how it ended; what the two ways of attaching say is the same."""
        try:
            self._check(read_request(fields))
            await self._node.serve_edge(_Stream(call))
        except CallError as refused:
            status = refused.status
            await call.end(Status(status.code), status.message, [_details(status)])
        except AttachRefused as refused:
            await call.end(Status[STATUS[refused.problem].name], str(refused))
        except CallFailed as problem:
            await call.end(problem.status, problem.text)
        except ConnectionError as error:
            log.info("an edge is gone before its hello: %s", error)
            await call.close()
        except asyncio.CancelledError:
            await call.end(Status.UNAVAILABLE, _STOPPING)
            raise
        except Exception:
            log.exception("an attachment failed")
            await call.end(Status.UNKNOWN, _BUG)
        else:
            await call.end(Status.OK)

    def _check(self, request: Request) -> None:
        error = self._access and self._access.check(request.path, request.metadata)
        if error:
            raise error
        if request.path != ATTACH:
            raise CallFailed(Status.UNIMPLEMENTED, _UNKNOWN_METHOD)


def _details(status: Any) -> Field:
    """Write the details of a status as gRPC does: binary metadata is base64."""
    text = base64.b64encode(status.SerializeToString()).decode("ascii")
    return "grpc-status-details-bin", text.rstrip("=")
