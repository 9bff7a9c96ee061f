"""Connections that come back: attempts, backoff, and the pool of one client."""

from maim_message.client.connection.connection import Connection
from maim_message.client.connection.pool import Pool
from maim_message.client.connection.routing import pick

__all__ = ["Connection", "Pool", "pick"]
