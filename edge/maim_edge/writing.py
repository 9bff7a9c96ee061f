"""From an outbox to a socket: large frames in pieces, so that pings pass between."""

from __future__ import annotations

from maim_edge.outbox import Outbox, OutFrame
from maim_edge.websocket_direct import PIECE_BYTES, DirectSocket


def write_first(outbox: Outbox, frame: OutFrame, socket: DirectSocket) -> bool:
    """Write the oldest frame or its next piece; returns whether it is written, and gone."""
    piece = outbox.next_piece(PIECE_BYTES)
    if piece.first and piece.last:
        socket.send(piece.data)
    else:
        socket.send_piece(piece.data, piece.first, piece.last)
    if piece.last:
        outbox.pop()
        if frame.receipt is not None:
            frame.receipt.written()
    return piece.last
