"""One WebSocket to the edge: the handshake, the socket, and how it ended."""

from maim_message.client.transport.credential import Credential
from maim_message.client.transport.ending import Ended, after_close
from maim_message.client.transport.handshake import OpenFailed, open_wire
from maim_message.client.transport.socket import Wire

__all__ = ["Credential", "Ended", "OpenFailed", "Wire", "after_close", "open_wire"]
