"""The router: connection map, authentication, handlers and the control API."""

from maim_protocol.extras import need

need("server", "maim_router")
