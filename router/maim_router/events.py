"""What the hub is told (events, past participles) and what it orders (actions): plain values."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maim_protocol.errors import ErrorCode, Refusal
from maim_protocol.frames import Admission, Live, Open


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


@dataclass(slots=True)
class Session:
    """A connection from its handshake to its end."""

    address: Address
    open: Open
    phase: Phase = Phase.AUTHENTICATING
    uuid: str = ""
    user_id: str = ""
    # Admitted by an earlier router or on an earlier stream: the edge waits for no verdict.
    restored: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message of a client as it came over the bridge."""

    ordinal: int
    msg_id: str
    type: str
    target_key: str
    target_platform: str
    payload: bytes


# Events: what has happened.


@dataclass(frozen=True, slots=True)
class EdgeAttached:
    edge: EdgeKey
    live: Sequence[Live] = ()


@dataclass(frozen=True, slots=True)
class EdgeLost:
    edge: EdgeKey


@dataclass(frozen=True, slots=True)
class Opened:
    edge: EdgeKey
    open: Open


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The auth callback let the connection in as `user_id`."""

    address: Address
    user_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The auth callback did not let the connection in, or did not answer."""

    address: Address
    code: Refusal
    text: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The map was written; `replaced` had the label before, or is the session itself: too late."""

    session: Session
    replaced: Address | None = None


@dataclass(frozen=True, slots=True)
class NotRegistered:
    """The map could not be written."""

    session: Session


@dataclass(frozen=True, slots=True)
class Closed:
    address: Address
    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    address: Address
    message: Inbound


@dataclass(frozen=True, slots=True)
class Settled:
    """Somebody else than the router's memory answers for the message now."""

    address: Address
    user_id: str
    message: Inbound


@dataclass(frozen=True, slots=True)
class Failed:
    """The message was not taken."""

    address: Address
    user_id: str
    message: Inbound
    code: ErrorCode
    text: str


Event = (
    EdgeAttached
    | EdgeLost
    | Opened
    | Authenticated
    | Refused
    | Registered
    | NotRegistered
    | Closed
    | Received
    | Settled
    | Failed
)

# Actions: what shall be done.


@dataclass(frozen=True, slots=True)
class Authenticate:
    address: Address
    open: Open


@dataclass(frozen=True, slots=True)
class Register:
    session: Session


@dataclass(frozen=True, slots=True)
class Unregister:
    address: Address


@dataclass(frozen=True, slots=True)
class Admit:
    address: Address
    admission: Admission


@dataclass(frozen=True, slots=True)
class Refuse:
    address: Address
    code: Refusal
    text: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    address: Address
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class NotifyConnected:
    session: Session


@dataclass(frozen=True, slots=True)
class NotifyDisconnected:
    session: Session
    reason: str


@dataclass(frozen=True, slots=True)
class Relay:
    session: Session
    message: Inbound


@dataclass(frozen=True, slots=True)
class Dispatch:
    session: Session
    message: Inbound


@dataclass(frozen=True, slots=True)
class Settle:
    edge: EdgeKey
    ordinal: int


@dataclass(frozen=True, slots=True)
class Reject:
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
    | NotifyDisconnected
    | Relay
    | Dispatch
    | Settle
    | Reject
)
