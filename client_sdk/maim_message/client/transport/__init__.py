"""One WebSocket to the edge: the handshake, the socket, and how it ended."""

from maim_message.client.transport.credential import Credential
from maim_message.client.transport.ending import LinkEnd, after_close
from maim_message.client.transport.handshake import OpenFailed, open_socket
from maim_message.client.transport.socket import EdgeSocket

__all__ = ["Credential", "EdgeSocket", "LinkEnd", "OpenFailed", "after_close", "open_socket"]
