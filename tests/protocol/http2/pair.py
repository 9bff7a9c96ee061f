"""A client's and a server's connection, wired to each other without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from maim_protocol.http2 import call
from maim_protocol.http2 import events as ev
from maim_protocol.http2.connection import Connection

REQUEST = call.request("/test.Echo/Talk", "localhost", "http", "a-token")
TRAILERS = (("grpc-status", "0"),)
SMALL = ev.Limits(
    message_bytes=1000,
    window_bytes=65_535,
    unread_bytes=100,
    header_bytes=1000,
    header_frames=3,
    control_frames=20,
)


@dataclass
class Side:
    """One connection and what it was told by the other."""

    connection: Connection
    heard: list[ev.Event] = field(default_factory=list)
    sent: bytes = b""

    def take_out(self) -> bytes:
        """Take what is to be sent."""
        wire = b"".join(self.connection.out)
        self.connection.out.clear()
        self.sent += wire
        return wire

    def hear(self, wire: bytes, cut: Callable[[bytes], Iterable[bytes]] = lambda w: [w]) -> None:
        """Take in bytes, in the pieces that `cut` makes of them."""
        for piece in cut(wire):
            self.heard += self.connection.receive(piece)

    @property
    def messages(self) -> list[bytes]:
        """The messages among what was heard."""
        return [event for event in self.heard if isinstance(event, bytes)]

    @property
    def failures(self) -> list[str]:
        """Why the connection failed, if it did."""
        return [event.text for event in self.heard if isinstance(event, ev.Failed)]


def client(limits: ev.Limits | None = None) -> Side:
    """A client that has said nothing."""
    return Side(Connection(client=True, limits=limits or ev.Limits()))


def server(limits: ev.Limits | None = None) -> Side:
    """A server that has said nothing."""
    return Side(Connection(client=False, limits=limits or ev.Limits()))


@dataclass
class Pair:
    """Both; the call has begun unless a test begins it itself."""

    client: Side
    server: Side

    @classmethod
    def make(
        cls, near: ev.Limits | None = None, far: ev.Limits | None = None, *, open: bool = True
    ) -> Pair:
        """Wire a client with limits `near` to a server with `far`."""
        pair = cls(client(near), server(far))
        pair.settle()
        if open:
            pair.client.connection.open(REQUEST)
            pair.settle()
            pair.server.connection.headers(call.RESPONSE)
            pair.settle()
        return pair

    def settle(self) -> None:
        """Carry bytes over until neither has any."""
        while True:
            up, down = self.client.take_out(), self.server.take_out()
            if not (up or down):
                return
            self.server.hear(up)
            self.client.hear(down)


def byte_by_byte(wire: bytes) -> Iterator[bytes]:
    """Cut into single bytes."""
    return (wire[at : at + 1] for at in range(len(wire)))


def limits(**more: int) -> ev.Limits:
    """The limits of everybody, but for some."""
    return replace(ev.Limits(), **more)
