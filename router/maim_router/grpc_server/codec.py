"""Bridge frames to and from protobuf, on the router's side."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from maim_protocol import bridge as frames
from maim_protocol.v1 import bridge_pb2 as pb


def decode(wire: bytes) -> frames.EdgeFrame:
    """Read the bytes that an edge sent; raises `ValueError` when they are no frame."""
    try:
        return edge_frame(pb.EdgeFrame.FromString(wire))
    except DecodeError as error:
        raise ValueError(str(error)) from error


def encode(frame: frames.RouterFrame) -> bytes:
    """Write the bytes that the edge is sent."""
    return router_frame(frame).SerializeToString()


def edge_frame(message: pb.EdgeFrame) -> frames.EdgeFrame:
    """Read what an edge sent."""
    frame = frames.EdgeFrame(taken_through=message.taken_through, draining=message.draining)
    if message.HasField("messages"):
        frame.messages = _messages(message.messages)
    if message.done:
        frame.done = [(span.first, span.last) for span in message.done]
    if message.HasField("outcomes"):
        frame.outcomes = _outcomes(message.outcomes)
    if message.HasField("given_back"):
        frame.given_back = _given_back(message.given_back)
        frame.given_back_from = [_live(live) for live in message.given_back_from]
    if message.chunks:
        frame.chunks = [frames.Chunk(chunk.transfer, chunk.data) for chunk in message.chunks]
    if message.opens:
        frame.opens = [_open(asked) for asked in message.opens]
    if message.closes:
        frame.closes = [frames.Closed(c.conn, c.code, c.reason) for c in message.closes]
    if message.pending:
        frame.pending = [frames.PendingBytes(p.conn, p.bytes, p.messages) for p in message.pending]
    if message.HasField("hello"):
        frame.hello = _hello(message.hello)
    if message.live:
        frame.live = [_live(live) for live in message.live]
    return frame


def router_frame(frame: frames.RouterFrame) -> pb.RouterFrame:
    """Write what the edge is told."""
    message = pb.RouterFrame()
    if frame.welcome is not None:
        message.welcome.router_id = frame.welcome.router_id
        message.welcome.protocol_version = frame.welcome.protocol_version
    if frame.verdicts:
        message.verdicts.extend(_verdict(verdict) for verdict in frame.verdicts)
    if frame.chunks:
        message.chunks.extend(pb.Chunk(transfer=c.transfer, data=c.data) for c in frame.chunks)
    if frame.deliveries is not None:
        _fill_deliveries(message.deliveries, frame.deliveries)
    if frame.disconnects:
        message.disconnects.extend(
            pb.DisconnectOrder(conn=d.conn, code=d.code, reason=d.reason) for d in frame.disconnects
        )
    if frame.settled:
        message.settled.extend(pb.OrdinalRange(first=a, last=b) for a, b in frame.settled)
    if frame.kept:
        message.kept.extend(pb.OrdinalRange(first=a, last=b) for a, b in frame.kept)
    if frame.rejections:
        message.rejections.extend(
            pb.Rejection(ordinal=r.ordinal, code=r.code, text=r.text) for r in frame.rejections
        )
    if frame.drain is not None:
        message.drain.CopyFrom(pb.DrainOrder(window_seconds=frame.drain.window_seconds))
    return message


def _hello(hello: pb.Hello) -> frames.Hello:
    return frames.Hello(
        hello.edge_id,
        hello.epoch,
        hello.protocol_version,
        hello.address,
        hello.capacity,
        hello.live_count,
        hello.outbox_bytes,
        hello.outbox_messages,
    )


def _live(live: pb.LiveConnection) -> frames.Live:
    admission = live.admission
    return frames.Live(
        _open(live.open),
        frames.Admission(admission.connection_uuid, admission.user_id, admission.proof),
    )


def _open(asked: pb.OpenRequest) -> frames.Open:
    return frames.Open(
        asked.conn,
        asked.api_key,
        asked.platform,
        asked.label,
        asked.client_ip,
        asked.connected_at,
        tuple((header.name, header.value) for header in asked.headers),
    )


def _messages(columns: pb.EdgeMessages) -> frames.EdgeMessages:
    # Sequences of protobuf as they are: they are read once, and copying costs as much.
    read: Any = columns
    return frames.EdgeMessages(
        read.ordinals,
        read.conns,
        read.msg_ids,
        read.types,
        read.target_keys,
        read.target_platforms,
        read.payloads,
        read.transfers,
    )


def _given_back(columns: pb.Deliveries) -> frames.Deliveries:
    return frames.Deliveries(
        ordinals=list(columns.ordinals),
        conns=list(columns.conns),
        msg_ids=list(columns.msg_ids),
        types=list(columns.types),
        sender_users=list(columns.sender_users),
        sender_platforms=list(columns.sender_platforms),
        target_users=list(columns.target_users),
        platforms=list(columns.platforms),
        timestamps=list(columns.timestamps),
        payloads=list(columns.payloads),
        numbers=list(columns.numbers),
    )


def _outcomes(columns: pb.DeliveryOutcomes) -> frames.Outcomes:
    return frames.Outcomes(list(columns.ordinals), list(columns.conns), list(columns.outcomes))


def _verdict(verdict: frames.Verdict) -> pb.Verdict:
    answer = verdict.answer
    if isinstance(answer, frames.Refused):
        refusal = pb.RefusalReason(code=answer.code, text=answer.text)
        return pb.Verdict(conn=verdict.conn, refusal=refusal)
    admission = pb.Admission(
        connection_uuid=answer.connection_uuid, user_id=answer.user_id, proof=answer.proof
    )
    return pb.Verdict(conn=verdict.conn, admission=admission)


def _fill_deliveries(message: pb.Deliveries, columns: frames.Deliveries) -> None:
    message.ordinals.extend(columns.ordinals)
    message.fanouts.extend(columns.fanouts)
    message.conns.extend(columns.conns)
    message.msg_ids.extend(columns.msg_ids)
    message.types.extend(columns.types)
    message.sender_users.extend(columns.sender_users)
    message.sender_platforms.extend(columns.sender_platforms)
    message.target_users.extend(columns.target_users)
    message.platforms.extend(columns.platforms)
    message.timestamps.extend(columns.timestamps)
    message.wants.extend(map(pb.DeliveryWant.ValueType, columns.wants))
    message.payloads.extend(columns.payloads)
    message.transfers.extend(columns.transfers)
    message.settles.extend(columns.settles)
    message.numbers.extend(columns.numbers)
