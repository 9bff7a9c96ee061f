"""The codecs of edge and router agree on every field of every frame."""

from __future__ import annotations

from hypothesis import given

from maim_edge.bridge.transports import codec as edge_codec
from maim_protocol.bridge.frames import EdgeFrame, RouterFrame
from maim_protocol.v1 import bridge_pb2 as pb
from maim_router.grpc_server import codec as router_codec
from tests.edge.bridge.bridge_frames import edge_frames, router_frames


@given(edge_frames)
def test_what_an_edge_writes_a_router_reads(frame: EdgeFrame) -> None:
    wire = edge_codec.edge_frame(frame).SerializeToString()
    assert router_codec.edge_frame(pb.EdgeFrame.FromString(wire)) == frame


@given(router_frames)
def test_what_a_router_writes_an_edge_reads(frame: RouterFrame) -> None:
    wire = router_codec.router_frame(frame).SerializeToString()
    assert edge_codec.router_frame(pb.RouterFrame.FromString(wire)) == frame


def test_an_unknown_outcome_or_want_is_carried_and_not_an_error() -> None:
    wire = pb.RouterFrame(deliveries=pb.Deliveries(wants=[77])).SerializeToString()  # type: ignore[list-item]
    read = edge_codec.router_frame(pb.RouterFrame.FromString(wire))
    assert read.deliveries is not None
    assert read.deliveries.wants == [77]
