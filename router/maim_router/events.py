"""What the hub is told (events, past participles) and what it orders (actions): plain values.

They are structs, since one is made for each message: msgspec makes them ten times as fast as a
frozen dataclass. None can be part of a cycle, so the garbage collector need not know them.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from maim_protocol.bridge import Admission, Live, Open
from maim_protocol.errors import ErrorCode, Refusal


class EdgeKey(NamedTuple):
    """One run of one edge; a later run of the same edge has a larger epoch."""

    edge_id: str
    epoch: int


class Address(NamedTuple):
    """Where a connection is: never used twice, so a late close can only hit its own."""

    edge: EdgeKey
    conn: int


class Phase(enum.Enum):
    """How far a connection has come."""

    AUTHENTICATING = "authenticating"
    REGISTERING = "registering"
    OPEN = "open"


class GaveWay(enum.Enum):
    """To what other connection of its user and platform one gave way."""

    # A newer one with the same resume label.
    LABEL = "label"
    # A newer one, where the newest replaces (session mode `replace`).
    NEWER = "newer"
    # An older one, where the oldest keeps others out (session mode `reject`).
    OLDER = "older"


class Session(Struct, gc=False):
    """A connection from its handshake to its end."""

    edge: EdgeKey
    open: Open
    phase: Phase = Phase.AUTHENTICATING
    uuid: str = ""
    user_id: str = ""
    # Admitted by an earlier router or on an earlier stream: the edge waits for no verdict.
    restored: bool = False
    # Messages go to an older one until that leaves.
    standby: bool = False

    @property
    def address(self) -> Address:
        """Where it is; made when asked for, an idle connection needs none."""
        return Address(self.edge, self.open.conn)


class Inbound(Struct, frozen=True, gc=False):
    """A message of a client as it came over the bridge."""

    ordinal: int
    conn: int
    msg_id: str
    type: str
    target_key: str
    target_platform: str
    payload: bytes


# Events: what has happened.


class EdgeAttached(Struct, frozen=True, gc=False):
    """`unproven` connections were admitted by nobody that this router can believe."""

    edge: EdgeKey
    live: Sequence[Live] = ()
    unproven: Sequence[Live] = ()


class EdgeLost(Struct, frozen=True, gc=False):
    edge: EdgeKey


class Opened(Struct, frozen=True, gc=False):
    edge: EdgeKey
    open: Open


class Authenticated(Struct, frozen=True, gc=False):
    """The auth callback let the connection in as `user_id`."""

    address: Address
    user_id: str


class Refused(Struct, frozen=True, gc=False):
    """The auth callback did not let the connection in, or did not answer."""

    address: Address
    code: Refusal
    text: str


class Registered(Struct, frozen=True, gc=False):
    """The map was asked for a place: `refused` says why it gave none.

    `ended` had to go for it; `standby` means that messages go to another one until that leaves,
    and `passed` is one that has to wait now.
    """

    session: Session
    refused: GaveWay | None = None
    ended: Sequence[tuple[Address, GaveWay]] = ()
    standby: bool = False
    passed: Address | None = None


class Activated(Struct, frozen=True, gc=False):
    """A connection that waited gets the messages from now on."""

    address: Address


class NotRegistered(Struct, frozen=True, gc=False):
    """The map could not be written."""

    session: Session


class Closed(Struct, frozen=True, gc=False):
    address: Address
    code: int
    reason: str = ""


class Received(Struct, frozen=True, gc=False):
    """All messages of one frame, in the order they came."""

    edge: EdgeKey
    messages: Sequence[Inbound]


class Settled(Struct, frozen=True, gc=False):
    """Somebody else than the router's memory answers for these messages now.

    `told` is the edge whose deliveries carried the ordinals of its own messages (`settles`): it
    knows of those already.
    """

    ended: Sequence[Relay | Dispatch]
    told: EdgeKey | None = None


class Failed(Struct, frozen=True, gc=False):
    """The message was not taken."""

    ended: Relay | Dispatch
    code: ErrorCode
    text: str


Event = (
    EdgeAttached
    | EdgeLost
    | Opened
    | Authenticated
    | Refused
    | Registered
    | Activated
    | NotRegistered
    | Closed
    | Received
    | Settled
    | Failed
)

# Actions: what shall be done.


class Authenticate(Struct, frozen=True, gc=False):
    address: Address
    open: Open


class Register(Struct, frozen=True, gc=False):
    session: Session


class Unregister(Struct, frozen=True, gc=False):
    address: Address


class Admit(Struct, frozen=True, gc=False):
    address: Address
    admission: Admission


class Refuse(Struct, frozen=True, gc=False):
    address: Address
    code: Refusal
    text: str


class Disconnect(Struct, frozen=True, gc=False):
    address: Address
    code: int
    reason: str


class NotifyConnected(Struct, frozen=True, gc=False):
    session: Session


class NotifyActivated(Struct, frozen=True, gc=False):
    session: Session


class NotifyDisconnected(Struct, frozen=True, gc=False):
    """`replaced_by` is the connection that it gave way to: then the map has changed already."""

    session: Session
    code: int
    reason: str
    replaced_by: str = ""


class Relay(Struct, frozen=True, gc=False):
    session: Session
    message: Inbound


class Dispatch(Struct, frozen=True, gc=False):
    session: Session
    message: Inbound


class Settle(Struct, frozen=True, gc=False):
    edge: EdgeKey
    ordinals: Sequence[int]


class Reject(Struct, frozen=True, gc=False):
    edge: EdgeKey
    ordinal: int
    code: ErrorCode
    text: str


Action = (
    Authenticate
    | Register
    | Unregister
    | Admit
    | Refuse
    | Disconnect
    | NotifyConnected
    | NotifyActivated
    | NotifyDisconnected
    | Relay
    | Dispatch
    | Settle
    | Reject
)
