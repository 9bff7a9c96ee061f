"""`WatchConnections`: what came and went at a node, as long as somebody reads it."""

from __future__ import annotations

from typing import Any, NoReturn

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from maim_protocol.v1 import router_pb2 as pb
from maim_router.control.errors import CallError, with_reason
from maim_router.lifecycle import (
    ConnectionView,
    Kind,
    LifecycleEvent,
    LifecycleFeed,
    LifecycleLog,
    LogGap,
)

# Read from the log at once; what waits for a slow caller beyond these stays in the log.
BATCH = 100
STOPPED = "the router stops; ask another one, or this one again when it is back"
_KINDS = {
    Kind.CONNECTED: pb.ConnectionEvent.KIND_CONNECTED,
    Kind.REPLACED: pb.ConnectionEvent.KIND_REPLACED,
    Kind.DISCONNECTED: pb.ConnectionEvent.KIND_DISCONNECTED,
    Kind.ACTIVATED: pb.ConnectionEvent.KIND_ACTIVATED,
}


async def watch(feed: LifecycleFeed, request: pb.WatchConnectionsRequest, context: Any) -> NoReturn:
    """Write events until the caller is too slow or the router stops; raises `CallError`."""
    log = feed.log
    try:
        seq = log.start(request.from_seq, request.log_id)
        await context.send_initial_metadata((("log_id", log.id), ("next_seq", str(seq))))
        while await feed.reached(seq):
            for event in log.read(seq, BATCH):
                await context.write(event_message(log.id, seq, event))
                seq += 1
    except LogGap as error:
        raise _not_in_log(log, error) from None
    raise with_reason(grpc.StatusCode.UNAVAILABLE, "ROUTER_STOPS", STOPPED)


def event_message(log_id: str, seq: int, event: LifecycleEvent) -> pb.ConnectionEvent:
    """Write an event."""
    time = Timestamp()
    time.FromNanoseconds(round(event.time * 1e9))
    return pb.ConnectionEvent(
        seq=seq,
        log_id=log_id,
        time=time,
        kind=_KINDS[event.kind],
        connection=_connection(event.connection),
        code=event.code,
        reason=event.reason,
        replaced_by=event.replaced_by,
        restored=event.connection.restored,
    )


def _connection(shown: ConnectionView) -> pb.Connection:
    return pb.Connection(
        connection_uuid=shown.uuid,
        user_id=shown.user_id,
        platform=shown.platform,
        label=shown.label,
        edge_id=shown.edge_id,
        client_ip=shown.client_ip,
        connected_at=shown.connected_at,
        standby=shown.standby,
    )


def _not_in_log(log: LifecycleLog, error: LogGap) -> CallError:
    slow = error.reason == "WATCHER_TOO_SLOW"
    code = grpc.StatusCode.RESOURCE_EXHAUSTED if slow else grpc.StatusCode.OUT_OF_RANGE
    about = {"log_id": log.id, "oldest_seq": str(log.oldest), "next_seq": str(log.next)}
    return with_reason(code, error.reason, error.text, **about)
