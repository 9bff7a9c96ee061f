"""One connection of a connection map."""

from __future__ import annotations

from msgspec import Struct

from maim_protocol.bridge import Open
from maim_router.events import Address, EdgeKey


class Entry(Struct, frozen=True, gc=False):
    """A connection that was let in; its handshake is shared with its session.

    An idle connection must stay small, so that nothing is kept twice and what can be told from
    the handshake is told when asked for.
    """

    uuid: str
    user_id: str
    edge: EdgeKey
    # Holds the credential, which is why it has no repr.
    open: Open
    # Admitted by an earlier router or on an earlier stream of its edge.
    restored: bool = False
    # Its place among messages (`MessageSequence`): it was sent those with later numbers.
    since: int = 0

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address(self.edge, self.open.conn)

    @property
    def platform(self) -> str:
        """The platform that the client named."""
        return self.open.platform

    @property
    def label(self) -> str:
        """The resume label that the client wishes; empty: none."""
        return self.open.label

    @property
    def client_ip(self) -> str:
        """The address of the client, without port."""
        return self.open.client_ip

    @property
    def connected_at(self) -> float:
        """When it came, in Unix seconds."""
        return self.open.connected_at
