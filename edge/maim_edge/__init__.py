"""The edge: WebSocket connections of clients, carried to a router over the bridge."""

from maim_protocol.extras import need

need("server", "maim_edge")
