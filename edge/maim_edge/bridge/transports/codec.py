"""Bridge frames to and from protobuf, on the edge's side."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from maim_protocol import bridge as frames
from maim_protocol.v1 import bridge_pb2 as pb


def decode(wire: bytes) -> frames.RouterFrame:
    """Read the bytes that a router sent; raises `ValueError` when they are no frame."""
    try:
        return router_frame(pb.RouterFrame.FromString(wire))
    except DecodeError as error:
        raise ValueError(str(error)) from error


def encode(frame: frames.EdgeFrame) -> bytes:
    """Write the bytes that the router is sent."""
    return edge_frame(frame).SerializeToString()


def router_frame(message: pb.RouterFrame) -> frames.RouterFrame:
    """Read what a router sent."""
    frame = frames.RouterFrame()
    if message.HasField("deliveries"):
        frame.deliveries = _deliveries(message.deliveries)
    if message.settled:
        frame.settled = [(span.first, span.last) for span in message.settled]
    if message.chunks:
        frame.chunks = [frames.Chunk(chunk.transfer, chunk.data) for chunk in message.chunks]
    if message.verdicts:
        frame.verdicts = [_verdict(verdict) for verdict in message.verdicts]
    if message.disconnects:
        frame.disconnects = [
            frames.DisconnectOrder(d.conn, d.code, d.reason) for d in message.disconnects
        ]
    if message.kept:
        frame.kept = [(span.first, span.last) for span in message.kept]
    if message.rejections:
        frame.rejections = [frames.Rejection(r.ordinal, r.code, r.text) for r in message.rejections]
    if message.HasField("drain"):
        frame.drain = frames.DrainOrder(message.drain.window_seconds)
    if message.HasField("welcome"):
        welcome = message.welcome
        frame.welcome = frames.Welcome(welcome.router_id, welcome.protocol_version)
    return frame


def edge_frame(frame: frames.EdgeFrame) -> pb.EdgeFrame:
    """Write what the router is told."""
    message = pb.EdgeFrame(taken_through=frame.taken_through)
    if frame.hello is not None:
        message.hello.CopyFrom(_hello(frame.hello))
    if frame.live:
        message.live.extend(_live(live) for live in frame.live)
    if frame.opens:
        message.opens.extend(_open(asked) for asked in frame.opens)
    if frame.chunks:
        message.chunks.extend(pb.Chunk(transfer=c.transfer, data=c.data) for c in frame.chunks)
    if frame.messages is not None:
        _fill_messages(message.messages, frame.messages)
    if frame.closes:
        message.closes.extend(
            pb.ConnectionClosed(conn=c.conn, code=c.code, reason=c.reason) for c in frame.closes
        )
    if frame.done:
        message.done.extend(pb.OrdinalRange(first=a, last=b) for a, b in frame.done)
    if frame.outcomes is not None:
        _fill_outcomes(message.outcomes, frame.outcomes)
    if frame.given_back is not None:
        _fill_given_back(message.given_back, frame.given_back)
        message.given_back_from.extend(_live(live) for live in frame.given_back_from)
    if frame.pending:
        message.pending.extend(
            pb.PendingBytes(conn=p.conn, bytes=p.bytes, messages=p.messages) for p in frame.pending
        )
    if frame.draining:
        message.draining = True
    return message


def _verdict(verdict: pb.Verdict) -> frames.Verdict:
    if verdict.HasField("refusal"):
        refused = frames.Refused(verdict.refusal.code, verdict.refusal.text)
        return frames.Verdict(verdict.conn, refused)
    given = verdict.admission
    admission = frames.Admission(given.connection_uuid, given.user_id, given.proof)
    return frames.Verdict(verdict.conn, admission)


def _deliveries(columns: pb.Deliveries) -> frames.Deliveries:
    # Sequences of protobuf as they are: they are read once, and copying costs as much.
    read: Any = columns
    return frames.Deliveries(
        read.ordinals,
        read.fanouts,
        read.conns,
        read.msg_ids,
        read.types,
        read.sender_users,
        read.sender_platforms,
        read.target_users,
        read.platforms,
        read.timestamps,
        read.wants,
        read.payloads,
        read.transfers,
        read.settles,
        read.numbers,
    )


def _hello(hello: frames.Hello) -> pb.Hello:
    return pb.Hello(
        edge_id=hello.edge_id,
        epoch=hello.epoch,
        protocol_version=hello.protocol_version,
        address=hello.address,
        capacity=hello.capacity,
        live_count=hello.live_count,
        outbox_bytes=hello.outbox_bytes,
        outbox_messages=hello.outbox_messages,
    )


def _live(live: frames.Live) -> pb.LiveConnection:
    given = live.admission
    admission = pb.Admission(
        connection_uuid=given.connection_uuid, user_id=given.user_id, proof=given.proof
    )
    return pb.LiveConnection(open=_open(live.open), admission=admission)


def _open(asked: frames.Open) -> pb.OpenRequest:
    return pb.OpenRequest(
        conn=asked.conn,
        api_key=asked.api_key,
        platform=asked.platform,
        label=asked.label,
        client_ip=asked.client_ip,
        connected_at=asked.connected_at,
        headers=[pb.Header(name=name, value=value) for name, value in asked.headers],
    )


def _fill_messages(message: pb.EdgeMessages, columns: frames.EdgeMessages) -> None:
    message.ordinals.extend(columns.ordinals)
    message.conns.extend(columns.conns)
    message.msg_ids.extend(columns.msg_ids)
    message.types.extend(columns.types)
    message.target_keys.extend(columns.target_keys)
    message.target_platforms.extend(columns.target_platforms)
    message.payloads.extend(columns.payloads)
    message.transfers.extend(columns.transfers)


def _fill_outcomes(message: pb.DeliveryOutcomes, columns: frames.Outcomes) -> None:
    message.ordinals.extend(columns.ordinals)
    message.conns.extend(columns.conns)
    message.outcomes.extend(pb.BridgeOutcome.ValueType(code) for code in columns.outcomes)


def _fill_given_back(message: pb.Deliveries, columns: frames.Deliveries) -> None:
    message.ordinals.extend(columns.ordinals)
    message.conns.extend(columns.conns)
    message.msg_ids.extend(columns.msg_ids)
    message.types.extend(columns.types)
    message.sender_users.extend(columns.sender_users)
    message.sender_platforms.extend(columns.sender_platforms)
    message.target_users.extend(columns.target_users)
    message.platforms.extend(columns.platforms)
    message.timestamps.extend(columns.timestamps)
    message.payloads.extend(columns.payloads)
    message.numbers.extend(columns.numbers)
