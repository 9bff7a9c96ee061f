"""What the protocol class decides by itself."""

from __future__ import annotations

from websockets.frames import Frame, Opcode

from maim_edge.websocket.sansio.protocol import PIECE_BYTES, EdgeWebSocketProtocol


def gathering() -> EdgeWebSocketProtocol:
    """A protocol in the middle of a message, without a connection."""
    protocol = object.__new__(EdgeWebSocketProtocol)
    protocol.frames = [b"a"]
    return protocol


def test_fragments_take_no_more_room_than_their_bytes() -> None:
    protocol = gathering()
    for _ in range(1000):
        protocol.handle_cont(Frame(Opcode.CONT, b"", fin=False))
        protocol.handle_cont(Frame(Opcode.CONT, b"b", fin=False))
    assert b"".join(protocol.frames) == b"a" + b"b" * 1000
    assert len(protocol.frames) == 1


def test_large_fragments_are_not_copied_again_and_again() -> None:
    protocol = gathering()
    for _ in range(3):
        protocol.handle_cont(Frame(Opcode.CONT, b"c" * PIECE_BYTES, fin=False))
        protocol.handle_cont(Frame(Opcode.CONT, b"", fin=False))
    assert [len(frame) for frame in protocol.frames] == [1, *[PIECE_BYTES] * 3]
