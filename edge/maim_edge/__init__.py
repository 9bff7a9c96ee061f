"""The edge: WebSocket connections of clients, carried to a router over the bridge."""
