"""What becomes of a message for a client that takes nothing while its outbox is full: pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from maim_edge.dialects import Delivery
from maim_protocol.envelope import CUSTOM_PREFIX, SYS_STD
from maim_runtime.settings import comma_list, suggestion

MAX_BLOCK_SECONDS = 3600.0
EXPECTED = (
    "a policy (disconnect, drop_oldest, drop_newest, coalesce or block:SECONDS) and, after commas, "
    "custom types with others (custom_typing=drop_newest)"
)


class Policy(enum.StrEnum):
    """What gives way when there is no room."""

    DISCONNECT = "disconnect"
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    COALESCE = "coalesce"
    BLOCK = "block"


class Handling(msgspec.Struct, frozen=True):
    """How one message is treated: its policy, and what that needs to know."""

    policy: Policy
    # Of BLOCK: how long the outbox may stay full.
    seconds: float = 0.0
    # Of COALESCE: what a later message must have in common with it to take its place.
    key: tuple[str, str, str] | None = None

    @property
    def droppable(self) -> bool:
        """Whether it may be dropped while it waits or before."""
        return self.policy not in (Policy.DISCONNECT, Policy.BLOCK)


DISCONNECT = Handling(Policy.DISCONNECT)


class Policies:
    """The handling of each type of message; `system` is that of frames of the edge's own."""

    def __init__(self, default: Handling, exceptions: Mapping[str, Handling]) -> None:
        self._default = default
        self._exceptions = exceptions
        self.system = DISCONNECT if default.droppable else default

    def of(self, delivery: Delivery) -> Handling:
        """Choose for a message; of those that coalesce this reads the payload."""
        handling = self._exceptions.get(delivery.type, self._default)
        if handling.policy is not Policy.COALESCE:
            return handling
        key = coalesce_key(delivery)
        if not key:
            return handling
        # With the sender: nobody's message takes the place of another's.
        return Handling(Policy.COALESCE, key=(delivery.sender_user, delivery.type, key))


class _Config(msgspec.Struct):
    coalesce_key: object = None


class _Info(msgspec.Struct):
    additional_config: _Config | None = None


class _Standard(msgspec.Struct):
    message_info: _Info


_standard = msgspec.json.Decoder(_Standard)
_custom = msgspec.json.Decoder(_Config)


def coalesce_key(delivery: Delivery) -> str:
    """Read the key out of a payload; empty: it has none, or is too large to be looked into.

    It is `message_info.additional_config.coalesce_key` of a standard message, `coalesce_key` of
    a custom one; a text.
    """
    if len(delivery.payload) != 1:
        return ""
    payload = delivery.payload[0]
    try:
        if delivery.type == SYS_STD:
            config = _standard.decode(payload).message_info.additional_config
        else:
            config = _custom.decode(payload)
    except msgspec.DecodeError:
        return ""
    key = config.coalesce_key if config is not None else None
    return key if isinstance(key, str) else ""


def parse_overflow(text: str) -> Policies:
    """Read a setting such as `disconnect,custom_typing=drop_newest`; raises `ValueError`."""
    first, *rest = comma_list(text) or ("",)
    default = _handling(first)
    exceptions: dict[str, Handling] = {}
    for part in rest:
        type, equals, policy = part.partition("=")
        if not equals:
            raise ValueError(f"{EXPECTED}; {part!r} names no type")
        _check_type(type, exceptions)
        exceptions[type] = _handling(policy)
    return Policies(default, exceptions)


def _check_type(type: str, known: Mapping[str, Handling]) -> None:
    if not type.startswith(CUSTOM_PREFIX) or type == CUSTOM_PREFIX:
        hint = f"; did you mean {CUSTOM_PREFIX}{type}?" if type and type != CUSTOM_PREFIX else ""
        raise ValueError(f"{EXPECTED}; {type!r} is no custom type{hint}")
    if type in known:
        raise ValueError(f"each type once, {type} is there twice")


def _handling(text: str) -> Handling:
    name, colon, seconds = text.partition(":")
    if name not in set(Policy):
        hint = suggestion(name, Policy)
        raise ValueError(f"{EXPECTED}; {name!r} is no policy{hint}")
    policy = Policy(name)
    if policy is Policy.BLOCK:
        return Handling(policy, _seconds(seconds))
    if colon:
        raise ValueError(f"{name} without anything behind it, only block has seconds")
    return Handling(policy)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_BLOCK_SECONDS:
        raise ValueError(f"block:SECONDS with more than 0 and up to {MAX_BLOCK_SECONDS:g} seconds")
    return seconds
