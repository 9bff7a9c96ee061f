"""Values that many tests start from."""

from __future__ import annotations

from maim_protocol.bridge.frames import PROTOCOL_VERSION, Admission, Hello, Live, Open
from maim_router import events as ev
from maim_router.events import EdgeKey, Session

EDGE = EdgeKey("edge-1", 5)
HELLO = Hello(EDGE.edge_id, EDGE.epoch, PROTOCOL_VERSION, "127.0.0.1:1")


def asked(conn: int, key: str = "alice", platform: str = "qq", label: str = "") -> Open:
    """A handshake; its key is also the name of its user where a test needs one."""
    return Open(conn, key, platform, label)


def live(conn: int, uuid: str = "", user: str = "alice", label: str = "") -> Live:
    """A connection that was admitted earlier."""
    return Live(asked(conn, user, label=label), Admission(uuid or f"uuid-{conn}", user))


def inbound(
    ordinal: int,
    msg_id: str = "m",
    type: str = "sys_std",
    key: str = "bob",
    platform: str = "wx",
    payload: bytes = b"{}",
    conn: int = 1,
) -> ev.Inbound:
    """A message of a client."""
    return ev.Inbound(ordinal, conn, msg_id, type, key, platform, payload)


def received(*messages: ev.Inbound) -> ev.Received:
    """The messages of one frame."""
    return ev.Received(EDGE, messages)


def session(conn: int = 1, user: str = "alice", platform: str = "qq") -> Session:
    """A session of an open connection."""
    opened = asked(conn, user, platform)
    return Session(EDGE, opened, ev.Phase.OPEN, f"uuid-{conn}", user)
